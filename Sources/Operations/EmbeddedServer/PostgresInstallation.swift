import Foundation

/// A PostgreSQL server's programs on this machine.
struct PostgresInstallation: Sendable, Equatable {
    /// The folder that holds `postgres` and `initdb`.
    let programs: String
    /// The major version, such as 15.
    let version: Int

    /// The oldest major version that the recorder runs on.
    static let oldestVersion = 15

    /// The path of one of the programs.
    func program(_ name: String) -> String { "\(programs)/\(name)" }

    /// Finds a server: where `pg_config` points, in `PATH`, and where Debian,
    /// Red Hat and PostgreSQL's own build put it.
    ///
    /// - Parameter version: The major version that existing data needs; nil takes the newest.
    /// - Throws: ``OperationsError`` with code `.notInstalled`, telling what to install.
    static func find(version: Int? = nil) throws(OperationsError) -> PostgresInstallation {
        var found: [PostgresInstallation] = []
        for folder in candidates() where !found.contains(where: { $0.programs == folder }) {
            guard
                ["postgres", "initdb"].allSatisfy({ FileManager.default.isExecutableFile(atPath: "\(folder)/\($0)") }),
                let major = majorVersion(of: "\(folder)/postgres"), major >= oldestVersion
            else { continue }
            let installation = PostgresInstallation(programs: folder, version: major)
            if version == nil || version == major { return installation }
            found.append(installation)
        }
        if let version, !found.isEmpty {
            throw OperationsError(
                .notInstalled,
                "the data was made by PostgreSQL \(version), but only "
                    + found.map { "\($0.version) (\($0.programs))" }.joined(separator: ", ")
                    + " is installed: install PostgreSQL \(version), or give another directory"
            )
        }
        throw OperationsError(
            .notInstalled,
            "no PostgreSQL server \(version ?? oldestVersion)\(version == nil ? " or later" : "") was found by pg_config, "
                + "in PATH or in /usr/lib/postgresql: run make setup, or install postgresql-\(version ?? oldestVersion)"
        )
    }

    private static func candidates() -> [String] {
        let path = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        var folders: [String] = []
        if let pgConfig = path.map({ "\($0)/pg_config" }).first(where: FileManager.default.isExecutableFile(atPath:)),
            let folder = try? ProgramOutput.of([pgConfig, "--bindir"])
        {
            folders.append(folder)
        }
        folders += path
        for (root, suffix) in [("/usr/lib/postgresql", "/bin"), ("/usr", "/bin"), ("/opt", "/bin")] {
            let versions = ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? [])
                .filter { root == "/usr/lib/postgresql" || $0.hasPrefix("pgsql-") }
                .sorted { $0.compare($1, options: .numeric) == .orderedDescending }
            folders += versions.map { "\(root)/\($0)\(suffix)" }
        }
        return folders + ["/usr/local/pgsql/bin"]
    }

    /// Reads `postgres (PostgreSQL) 15.18 (Debian …)`.
    private static func majorVersion(of program: String) -> Int? {
        guard let text = try? ProgramOutput.of([program, "--version"]) else { return nil }
        return text.split(separator: " ").lazy.compactMap { Int($0.prefix { $0.isASCII && $0.isNumber }) }.first
    }
}
