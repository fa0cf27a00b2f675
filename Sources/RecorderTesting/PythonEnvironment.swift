import Foundation
import Synchronization

/// A Python environment with a package from PyPI, made once on a machine and kept for later runs.
package struct PythonEnvironment: Sendable {
    /// A name for its folder.
    private let name: String
    /// The requirement that pip installs.
    private let package: String
    /// A line of Python that fails where the package is missing.
    private let probe: String
    /// Whether packages of the system's Python are used where they fit.
    private let usesSystem: Bool

    /// psycopg: a client of PostgreSQL.
    package static let psycopg = PythonEnvironment(
        name: "psycopg-3",
        package: "psycopg[binary]>=3.1,<4",
        probe: "import psycopg; psycopg.connect"
    )

    /// moto: a server that speaks S3. It brings 60 packages, which the system may have.
    package static let moto = PythonEnvironment(
        name: "moto-5",
        package: "moto[server]>=5,<6",
        probe: "from moto.server import ThreadedMotoServer; import botocore.auth",
        usesSystem: true
    )

    private init(name: String, package: String, probe: String, usesSystem: Bool = false) {
        self.name = name
        self.package = package
        self.probe = probe
        self.usesSystem = usesSystem
    }

    /// The environments that this process has looked for, by their names.
    private static let found = Mutex<[String: Task<String?, any Error>]>([:])

    /// The path of its interpreter.
    ///
    /// - Returns: `nil` if PyPI cannot be reached.
    package func python() async throws -> String? {
        let finding = Self.found.withLock { found in
            if let finding = found[name] { return finding }
            let finding = Task { try await find() }
            found[name] = finding
            return finding
        }
        return try await finding.value
    }

    private func find() async throws -> String? {
        let folder = FileManager.default.temporaryDirectory.appending(path: "recorder-\(name)")
            .path(percentEncoded: false)
        let python = "\(folder)/bin/python"
        if try await ChildProgram.attempt(python, ["-c", probe]).status == 0 { return python }
        // Made aside, then moved, so that nobody finds half an environment. It can be moved because its own scripts are
        // not used.
        let aside = "\(folder)-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: aside) }
        let system = usesSystem ? ["--system-site-packages"] : []
        _ = try await ChildProgram.run("python3", ["-m", "venv"] + system + [aside])
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", package]
        let installed = try await ChildProgram.attempt("\(aside)/bin/python", install)
        guard installed.status == 0 else {
            let reasons = ["Failed to establish", "Temporary failure", "ConnectionError", "Max retries", "timed out"]
            let isUnreachable = reasons.contains { installed.errors.contains($0) }
            guard isUnreachable else { throw ChildProgram.Failure(program: "pip", reason: installed.errors) }
            return nil
        }
        // Another process may have been faster, and be using its own.
        if try await ChildProgram.attempt(python, ["-c", probe]).status != 0 {
            try? FileManager.default.removeItem(atPath: folder)
            try? FileManager.default.moveItem(atPath: aside, toPath: folder)
        }
        _ = try await ChildProgram.run(python, ["-c", probe])
        return python
    }
}
