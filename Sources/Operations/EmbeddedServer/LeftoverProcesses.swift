import Foundation
import Glibc

/// The processes of an earlier run that was killed: they still work on a data directory whose lock nobody holds.
///
/// PostgreSQL's processes all have the data directory as their working directory and run the program `postgres`. That
/// tells them from others that got the same number later, and from a shell that somebody left in the directory.
enum LeftoverProcesses {
    /// Stops what still runs there, and removes a `postmaster.pid` that then belongs to nobody.
    ///
    /// - Parameter data: The data directory, as an absolute path without links.
    /// - Throws: ``OperationsError`` with code `.alreadyRunning` if something refuses to end.
    static func stop(data: String) throws(OperationsError) {
        let postmaster = (try? String(contentsOfFile: "\(data)/postmaster.pid", encoding: .utf8))
            .flatMap { $0.split(separator: "\n").first }.flatMap { pid_t($0) }
        // First as an orderly stop, then as one that needs recovery, then by force.
        for (number, limit) in [(SIGINT, 30), (SIGQUIT, 10), (SIGKILL, 10)] {
            let running = identifiers(in: data)
            if running.isEmpty { break }
            let addressed = number == SIGINT ? running.filter { $0 == postmaster } : running
            addressed.forEach { kill($0, number) }
            if number == SIGINT && addressed.isEmpty { continue }
            waitUntilNone(data: data, limit: .seconds(limit))
        }
        guard identifiers(in: data).isEmpty else {
            throw OperationsError(
                .alreadyRunning,
                "a PostgreSQL server of an earlier run still works in \(data) and does not stop: end its processes "
                    + identifiers(in: data).map(String.init).joined(separator: ", ")
            )
        }
        try? FileManager.default.removeItem(atPath: "\(data)/postmaster.pid")
    }

    /// The server's processes that have this working directory.
    ///
    /// Source: proc(5), on `/proc/pid/exe`: the link to a program that has since been replaced ends in ` (deleted)`.
    static func identifiers(in data: String) -> [pid_t] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { entry in
            guard let identifier = pid_t(entry), identifier != getpid(),
                let directory = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(entry)/cwd"),
                directory == data,
                let program = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(entry)/exe")
            else { return nil }
            let name = program.split(separator: "/").last.map(String.init)
            return name == "postgres" || name == "postgres (deleted)" ? identifier : nil
        }
    }

    private static func waitUntilNone(data: String, limit: Duration) {
        let end = ContinuousClock.now + limit
        while !identifiers(in: data).isEmpty, ContinuousClock.now < end { usleep(10_000) }
    }
}
