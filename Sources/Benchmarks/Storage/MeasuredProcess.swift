internal import Dispatch
internal import Foundation
internal import Glibc
internal import Synchronization

/// A finished run of a program: the time and the memory that it took.
struct MeasuredProcess {
    /// How long it ran.
    let duration: Duration
    /// The most memory that it held at once, in bytes.
    let peakMemory: Int

    /// Runs a program to its end; its standard error goes to ours.
    ///
    /// - Parameters:
    ///   - words: The program's path and its arguments.
    ///   - output: The file for what it prints, which is thrown away by default.
    /// - Throws: ``BenchmarkError`` with `.process` if it cannot be started or fails.
    static func run(_ words: [String], output: String = "/dev/null") async throws -> MeasuredProcess {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(with: Result { try runToEnd(words, output) })
            }
        }
    }

    private static func runToEnd(_ words: [String], _ output: String) throws -> MeasuredProcess {
        let start = ContinuousClock.now
        var identifier = pid_t()
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(
            &actions,
            STDOUT_FILENO,
            output,
            O_WRONLY | O_CREAT | O_TRUNC,
            0o600
        )
        var arguments = unsafe words.map { unsafe strdup($0) }
        unsafe arguments.append(nil)
        defer { for index in unsafe arguments.indices { unsafe free(arguments[index]) } }
        let failure = unsafe posix_spawn(&identifier, words[0], &actions, nil, arguments, environ)
        guard failure == 0 else {
            throw BenchmarkError(.process, "\(words[0]) cannot be started: error \(failure)")
        }
        // The peak that wait4(2) reports is never below that of the parent process: posix_spawn shares memory until
        // exec, and the figure outlives exec. The program's own peak is in its /proc status, which is gone once it has
        // ended.
        let process = identifier
        let peak = Mutex(0)
        let sampler = DispatchSource.makeTimerSource(queue: .global())
        sampler.setEventHandler {
            let now = Self.peakMemory(of: process)
            peak.withLock { $0 = max($0, now) }
        }
        sampler.schedule(deadline: .now(), repeating: .milliseconds(10))
        sampler.activate()
        defer { sampler.cancel() }
        var status: Int32 = 0
        while unsafe waitpid(identifier, &status, 0) < 0, errno == EINTR {}
        let duration = start.duration(to: .now)
        guard status == 0 else {
            throw BenchmarkError(.process, "\(words.joined(separator: " ")) failed, for the reason above")
        }
        return MeasuredProcess(duration: duration, peakMemory: peak.withLock { $0 })
    }

    /// The most memory that a process has held at once so far, in bytes; 0 if it has ended.
    ///
    /// Source: `VmHWM` of proc_pid_status(5), in KiB.
    private static func peakMemory(of identifier: pid_t) -> Int {
        guard let status = try? String(contentsOfFile: "/proc/\(identifier)/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") })
        else { return 0 }
        return (line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) << 10
    }
}
