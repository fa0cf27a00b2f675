internal import Dispatch
internal import Glibc

/// A program that is run to its end, with what it used.
struct MeasuredProcess {
    /// How long it ran.
    let duration: Duration
    /// The most memory that it held at once, in bytes.
    let peakMemory: Int

    /// Runs a program; what it prints is thrown away, its standard error is ours.
    ///
    /// - Parameter words: The program's path and its arguments.
    /// - Throws: ``BenchmarkError`` with `.process` if it cannot be started or fails.
    static func run(_ words: [String]) async throws -> MeasuredProcess {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(with: Result { try runToEnd(words) })
            }
        }
    }

    private static func runToEnd(_ words: [String]) throws -> MeasuredProcess {
        let start = ContinuousClock.now
        var identifier = pid_t()
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
        var arguments = unsafe words.map { unsafe strdup($0) }
        unsafe arguments.append(nil)
        defer { for index in unsafe arguments.indices { unsafe free(arguments[index]) } }
        let failure = unsafe posix_spawn(&identifier, words[0], &actions, nil, arguments, environ)
        guard failure == 0 else {
            throw BenchmarkError(.process, "\(words[0]) cannot be started: error \(failure)")
        }
        var status: Int32 = 0
        var usage = rusage()
        while unsafe wait4(identifier, &status, 0, &usage) < 0, errno == EINTR {}
        guard status == 0 else {
            throw BenchmarkError(.process, "\(words.joined(separator: " ")) failed, for the reason above")
        }
        // Linux counts in KiB (getrusage(2)).
        return MeasuredProcess(duration: start.duration(to: .now), peakMemory: Int(usage.ru_maxrss) << 10)
    }
}
