package import Foundation

/// The real data beside the project, and the tools that turn it into events and compute what the read models must hold.
package enum SharedData {
    /// `../shared` beside the project; nil if it is missing.
    package static let folder: URL? = {
        let project = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let shared = project.deletingLastPathComponent().appending(path: "shared")
        let oracle = shared.appending(path: "tools/fold_events.py").path(percentEncoded: false)
        return FileManager.default.fileExists(atPath: oracle) ? shared : nil
    }()

    /// Why tests of the real data are skipped where it is missing.
    package static let missing = "../shared is not beside the project: the real dialogues and traces are not compared"

    /// The real input: 81,391 events in 637 sessions.
    package static func conversations() async throws -> [URL] { try await made.value }

    /// The ASR lines with alternatives, English and Polish.
    package static func recognitions() async throws -> [URL] { try await madeRecognitions.value }

    /// The prices that the trace's costs are computed with.
    package static func prices() throws -> URL { try require("data/model-prices.json") }

    /// What the read models must hold after files of events were recorded.
    package static func expectation(of files: [URL]) async throws -> Data {
        let arguments = files.map { $0.path(percentEncoded: false) }
        let prices = try prices().path(percentEncoded: false)
        return try await python("tools/fold_events.py", arguments + ["--prices", prices])
    }

    private static let made = Task {
        [
            try await events("dialogues", of: "data/dialogues.jsonl"),
            try await events("trace", of: "data/llm-trace.csv"),
        ]
    }

    private static let madeRecognitions = Task {
        [
            try await events("dialogues", of: "data/evi-asr.jsonl"),
            try await events("dialogues", of: "data/evi-asr-pl.jsonl"),
        ]
    }

    private static func events(_ kind: String, of file: String) async throws -> URL {
        let source = try require(file)
        let made = try await python("tools/make_events.py", [kind, source.path(percentEncoded: false)])
        let name = "recorder-events-\(getpid())-\(source.deletingPathExtension().lastPathComponent).jsonl"
        let url = FileManager.default.temporaryDirectory.appending(path: name)
        try made.write(to: url)
        return url
    }

    private static func require(_ path: String) throws -> URL {
        guard let folder else { throw CocoaError(.fileNoSuchFile) }
        return folder.appending(path: path)
    }

    private static func python(_ tool: String, _ arguments: [String]) async throws -> Data {
        let script = try require(tool)
        return Data(try await ChildProgram.run("python3", [script.path(percentEncoded: false)] + arguments).text.utf8)
    }
}
