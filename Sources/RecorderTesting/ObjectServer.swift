import Foundation

/// moto's server, run once for all tests of this process, behind a proxy that fails.
package actor ObjectServer {
    package static let shared = ObjectServer()

    /// The way to the server.
    package enum Way: String, CaseIterable, Sendable {
        /// To moto itself.
        case direct
        /// Through the proxy, which fails each request twice.
        case failing
    }

    private var addresses: Task<[String: String]?, any Error>?
    private var process: Process?

    /// The server's address; its bucket is `recordings`, and any credentials are accepted.
    ///
    /// - Returns: `nil` if PyPI cannot be reached.
    package func address(_ way: Way) async throws -> String? { try await started()?[way.rawValue] }

    private func started() async throws -> [String: String]? {
        if let addresses { return try await addresses.value }
        let task = Task {
            guard let python = try await PythonEnvironment.moto.python() else { return [String: String]?.none }
            return try await start(python)
        }
        addresses = task
        return try await task.value
    }

    private func start(_ python: String) async throws -> [String: String] {
        let (process, input, output) = (Process(), Pipe(), Pipe())
        process.executableURL = URL(filePath: python)
        process.arguments = [
            URL(filePath: #filePath).deletingLastPathComponent().appending(path: "object_server.py")
                .path(percentEncoded: false)
        ]
        // It ends when its standard input closes, and so with this process.
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        self.process = process
        let line = try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                var line = Data()
                while let byte = try? output.fileHandleForReading.read(upToCount: 1), !byte.isEmpty,
                    byte != Data("\n".utf8)
                {
                    line += byte
                }
                continuation.resume(with: Result { try JSONDecoder().decode([String: String].self, from: line) })
            }
        }
        return line
    }
}
