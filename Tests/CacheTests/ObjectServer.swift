import Foundation
import RecorderTesting
import Testing

@testable import Cache

/// moto's server, run once for all tests of this process, with a proxy in front of it that fails.
actor ObjectServer {
    static let shared = ObjectServer()

    /// Which way to go.
    enum Way: String, CaseIterable, Sendable {
        /// To moto itself.
        case direct
        /// Through the proxy, which fails each request twice.
        case failing
    }

    private var addresses: Task<[String: String], any Error>?
    private var process: Process?

    /// A store on the server; each call has names of its own.
    ///
    /// - Throws: Cancels the test if PyPI cannot be reached.
    func store(_ way: Way, bucket: String = "recordings") async throws -> S3ObjectStore {
        let address = try await started()[way.rawValue]
        var configuration = S3Configuration(
            endpoint: try #require(address),
            bucket: bucket,
            region: "eu-central-1",
            accessKeyID: "test",
            secretAccessKey: "test"
        )
        configuration.partSize = 5 << 20
        return try S3ObjectStore(configuration)
    }

    private func started() async throws -> [String: String] {
        if let addresses { return try await addresses.value }
        let task = Task {
            guard let python = try await PythonEnvironment.moto.python() else {
                try Test.cancel("moto cannot be installed: PyPI is not reached from here")
            }
            return try await start(python)
        }
        addresses = task
        return try await task.value
    }

    private func start(_ python: String) async throws -> [String: String] {
        let (process, input, output) = (Process(), Pipe(), Pipe())
        process.executableURL = URL(filePath: python)
        process.arguments = [Self.script("object_server.py")]
        // It ends with its standard input, so with this process.
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

    /// A Python program beside this file.
    static func script(_ name: String) -> String {
        URL(filePath: #filePath).deletingLastPathComponent().appending(path: name).path(percentEncoded: false)
    }
}
