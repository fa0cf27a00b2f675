internal import Foundation

/// The events of a run as a file, for programs that read one.
enum InputFile {
    /// Writes the file while `body` runs.
    static func with<R>(_ input: BenchmarkInput, _ body: (_ path: String) async throws -> R) async throws -> R {
        let path = FileManager.default.temporaryDirectory
            .appending(path: "recorder-bench-\(UUID().uuidString).jsonl").path(percentEncoded: false)
        guard FileManager.default.createFile(atPath: path, contents: nil), let file = FileHandle(forWritingAtPath: path)
        else { throw BenchmarkError(.input, "\(path) cannot be written: is the disk full?") }
        defer { try? FileManager.default.removeItem(atPath: path) }
        var buffer = Data()
        for line in input.lines {
            buffer.append(contentsOf: line.json)
            buffer.append(0x0A)
            guard buffer.count > 1 << 20 else { continue }
            try file.write(contentsOf: buffer)
            buffer.removeAll(keepingCapacity: true)
        }
        try file.write(contentsOf: buffer)
        try file.close()
        return try await body(path)
    }
}
