import Foundation
import Glibc
import Logging
import Schema

/// Makes a server's data: `initdb`, and the one database.
struct ServerCluster {
    let directory: ServerDirectory
    let configuration: EmbeddedServerConfiguration
    let logger: Logger

    /// The major version that made the data; nil if there is none.
    var version: Int? {
        (try? String(contentsOfFile: "\(directory.data)/PG_VERSION", encoding: .utf8))
            .flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
    }

    /// Makes the data, where there is none yet.
    ///
    /// It is made beside its place and renamed, so that a run that is killed half-way leaves nothing that looks
    /// complete.
    ///
    /// - Throws: ``OperationsError`` with code `.startFailed` and what `initdb` said, or `.invalidDirectory` if the
    ///   place is not empty or cannot be written.
    func make(_ installation: PostgresInstallation) throws(OperationsError) {
        let place = directory.data
        if FileStatus(path: place) != nil, !isEmpty(place) {
            throw OperationsError(
                .invalidDirectory,
                "\(place) is neither empty nor PostgreSQL's data: give another directory, or remove it if it is yours"
            )
        }
        logger.info("making a PostgreSQL \(installation.version) data directory in \(place)")
        let draft = "\(place).new"
        try? FileManager.default.removeItem(atPath: draft)
        guard unsafe mkdir(draft, 0o700) == 0 else {
            throw OperationsError(.invalidDirectory, "cannot make \(draft): \(SystemMessage.of(errno))")
        }
        try directory.account.own(draft)
        var initdb = [
            installation.program("initdb"), "-D", draft, "-U", configuration.user, "-A", "trust", "-E", "UTF8",
            "--no-instructions",
        ]
        var single = [installation.program("postgres"), "--single", "-D", draft]
        if configuration.durability == .unsafeForTests {
            initdb.append("--no-sync")
            single += ["-c", "fsync=off"]
        }
        do {
            try run(initdb + ["--locale=C.UTF-8"])
        } catch {
            // Not every system has C.UTF-8; C sorts by bytes all the same.
            logger.debug("\(error)")
            try run(initdb + ["--locale=C"])
        }
        // Single-user mode reads one statement a line.
        try run(single + ["template1"], input: "create database \"\(configuration.database)\";\n")
        try? FileManager.default.removeItem(atPath: place)
        guard unsafe rename(draft, place) == 0 else {
            throw OperationsError(
                .invalidDirectory,
                "cannot rename \(draft): \(SystemMessage.of(errno))"
            )
        }
    }

    private func isEmpty(_ path: String) -> Bool {
        (try? FileManager.default.contentsOfDirectory(atPath: path))?.isEmpty == true
    }

    private func run(_ command: [String], input: String = "") throws(OperationsError) {
        let log = try directory.openLog()
        defer { close(log.file) }
        let death = try directory.account.command(command, deathSignal: "KILL")
        let child = try ChildProcess.start(death, input: input, output: log.file)
        if !child.wait(atMost: configuration.startLimit) {
            child.signal(SIGKILL)
            _ = child.wait(atMost: .seconds(10))
        }
        guard child.succeeded else {
            throw OperationsError(
                .startFailed,
                "\(command[0]) failed (\(child.ending ?? "no answer")); its last words, from \(directory.log):"
                    + directory.logTail(since: log.length)
            )
        }
    }
}
