import Dispatch
import Foundation
import Glibc
import Schema
import Synchronization

/// A program that runs as a child of this process, on a thread of its own that waits for its end.
///
/// The thread matters: Linux sends a parent-death signal when the *thread* that made the child ends (`prctl(2)`,
/// `PR_SET_PDEATHSIG`), and a thread of a pool may end at any time.
final class ChildProcess: Sendable {
    /// The process id.
    let identifier: pid_t
    /// A group that is left when the process has ended.
    private let alive: DispatchGroup
    /// The status from `waitpid`; nil while the process runs.
    private let status: Mutex<Int32?>

    private init(identifier: pid_t, alive: DispatchGroup) {
        self.identifier = identifier
        self.alive = alive
        self.status = Mutex(nil)
    }

    /// Starts a program in a session of its own, in `/`, with none of our open files and no ignored signals.
    ///
    /// - Parameters:
    ///   - command: The program's path and its arguments.
    ///   - input: What the program reads on standard input; at most 64 KiB, because it is written before anybody reads
    ///     the pipe.
    ///   - output: An open file that takes standard output and standard error.
    /// - Throws: ``OperationsError`` with code `.startFailed` if the program cannot be run.
    static func start(
        _ command: [String],
        input: String = "",
        output: Int32
    ) throws(OperationsError) -> ChildProcess {
        let started = Mutex<Result<ChildProcess, OperationsError>?>(nil)
        let ready = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            let result = spawn(command, input: input, output: output)
            started.withLock { $0 = result }
            ready.signal()
            if case .success(let child) = result { child.waitForEnd() }
        }
        ready.wait()
        guard let result = started.withLock({ $0 }) else {
            preconditionFailure("the thread signals only after it has stored its result")
        }
        return try result.get()
    }

    /// Whether the process has not ended.
    var isRunning: Bool { status.withLock { $0 == nil } }

    /// How the process ended, in words; nil while it runs.
    var ending: String? {
        status.withLock { $0 }.map { status in
            status & 0x7F == 0 ? "exit status \((status >> 8) & 0xFF)" : "signal \(status & 0x7F)"
        }
    }

    /// Whether the process ended with exit status 0.
    var succeeded: Bool { status.withLock { $0 == 0 } }

    /// Sends a signal, unless the process has ended.
    func signal(_ number: Int32) {
        status.withLock { if $0 == nil { _ = kill(identifier, number) } }
    }

    /// Blocks until the process has ended, at most for the time given.
    ///
    /// - Returns: Whether it has ended.
    func wait(atMost limit: Duration) -> Bool {
        let nanoseconds = limit.components.seconds * 1_000_000_000 + limit.components.attoseconds / 1_000_000_000
        return alive.wait(timeout: .now() + .nanoseconds(Int(nanoseconds))) == .success
    }

    /// Calls back once the process has ended.
    func whenEnded(_ body: @escaping @Sendable () -> Void) {
        alive.notify(queue: .global(), execute: body)
    }

    private func waitForEnd() {
        var status: Int32 = 0
        while true {
            // The process stays a zombie until its status is stored, so that no other process can get its number and be
            // signalled.
            var information = unsafe siginfo_t()
            if unsafe waitid(P_PID, id_t(identifier), &information, WEXITED | WNOWAIT) == 0 { break }
            if errno != EINTR { break }
        }
        self.status.withLock { stored in
            while unsafe waitpid(identifier, &status, 0) < 0 && errno == EINTR {}
            stored = status
        }
        alive.leave()
    }

    private static func spawn(_ command: [String], input: String, output: Int32) -> Result<
        ChildProcess, OperationsError
    > {
        guard let pipe = PrivatePipe() else { return .failure(.noPipe) }
        defer { close(pipe.reader) }
        let bytes = Array(input.utf8)
        _ = unsafe write(pipe.writer, bytes, bytes.count)
        close(pipe.writer)

        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe leaveOnly(input: pipe.reader, output: output, &actions)

        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        setApart(&attributes)

        var identifier: pid_t = 0
        // PostgreSQL's tools fail where they may not look: root's current directory is often such a place.
        let shell = ["/bin/sh", "-c", "cd / && exec \"$@\"", "sh"]
        let code = unsafe withCStrings(shell + command) { arguments in
            unsafe withCStrings(environment) { variables in
                unsafe posix_spawn(&identifier, shell[0], &actions, &attributes, arguments, variables)
            }
        }
        guard code == 0 else { return .failure(.cannotRun(command, code)) }
        let alive = DispatchGroup()
        alive.enter()
        return .success(ChildProcess(identifier: identifier, alive: alive))
    }

    /// Gives the child standard input, output and error, and none of our other files.
    private static func leaveOnly(input: Int32, output: Int32, _ actions: inout posix_spawn_file_actions_t) {
        for (source, target) in [(input, Int32(0)), (output, 1), (output, 2)] {
            unsafe posix_spawn_file_actions_adddup2(&actions, source, target)
        }
        // A file that was closed meanwhile does no harm: only a number out of range fails (glibc, `spawni.c`).
        for file in (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? [] {
            if let file = Int32(file), file > 2 { unsafe posix_spawn_file_actions_addclose(&actions, file) }
        }
    }

    /// Gives the child a session of its own, in which no signal is blocked or ignored.
    private static func setApart(_ attributes: inout posix_spawnattr_t) {
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe posix_spawnattr_setsigmask(&attributes, &signals)
        for number in [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGUSR1, SIGUSR2] {
            unsafe sigaddset(&signals, number)
        }
        unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
        let setsid: Int32 = 0x80  // POSIX_SPAWN_SETSID, which <spawn.h> shows to GNU sources only
        let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | setsid
        unsafe posix_spawnattr_setflags(&attributes, Int16(flags))
    }

    /// Our environment without the variables about servers and languages.
    private static var environment: [String] {
        // PGDATA, PGPORT and the like in our environment are meant for another server.
        ProcessInfo.processInfo.environment
            .filter { !$0.key.hasPrefix("PG") && !$0.key.hasPrefix("LC_") && $0.key != "LANG" }
            .map { "\($0.key)=\($0.value)" } + ["LC_ALL=C"]
    }

    /// Lends an array of C strings, ended by NULL as `execve(2)` wants it.
    private static func withCStrings<R>(
        _ strings: [String],
        _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> R
    ) -> R {
        var pointers = unsafe strings.map { unsafe strdup($0) } + [nil]
        defer { unsafe pointers.forEach { unsafe free($0) } }
        return unsafe pointers.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { preconditionFailure("the array holds at least the NULL") }
            return unsafe body(base)
        }
    }
}

extension OperationsError {
    /// No pipe could be made, for the reason in `errno`.
    static var noPipe: OperationsError {
        OperationsError(.startFailed, "cannot make a pipe: \(SystemMessage.of(errno))")
    }

    fileprivate static func cannotRun(_ command: [String], _ code: Int32) -> OperationsError {
        OperationsError(.startFailed, "cannot run \(command[0]): \(SystemMessage.of(code))")
    }
}
