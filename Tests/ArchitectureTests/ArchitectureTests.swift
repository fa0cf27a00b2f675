import Foundation
import Testing

/// SwiftPM lets a target import what it did not declare, if something else brings it in. This does not.
@Suite struct ArchitectureTests {
    /// Who may import whom: the table of design.md, as far as the targets exist, and
    /// what decisions of the project add to it.
    static let allowed: [String: Set<String>] = [
        "CLibpq": [],
        "CLZ4": [],
        "CLibcrypto": [],
        "EventModel": [],
        "Postgres": ["CLibpq", "Logging", "Metrics"],
        "PayloadCodec": ["CLZ4", "CLibcrypto", "Crypto"],
        "EventStore": ["EventModel", "PayloadCodec", "Postgres"],
        "Schema": ["Postgres"],
        "Projector": ["EventModel", "EventStore", "PayloadCodec", "Schema", "Postgres", "ServiceLifecycle"],
        "ReadModel": ["EventModel", "Postgres"],
        "Directory": ["EventModel", "EventStore", "Postgres"],
        "Cache": ["Postgres", "Crypto", "AsyncHTTPClient", "NIOCore", "NIOHTTP1", "ServiceLifecycle"],
        "Operations": ["Schema"],
        "Privacy": ["EventModel", "EventStore", "Schema", "Projector", "Cache", "Postgres", "Crypto"],
        "Simulator": ["EventModel"],
        "HotFunctions": ["EventModel", "PayloadCodec", "Postgres", "Simulator"],
        // A package of its own.
        "MicroBenchmarks": ["Benchmark", "HotFunctions", "PackageDescription"],
        "Benchmarks": [
            "EventModel", "Postgres", "PayloadCodec", "EventStore", "Schema", "Projector", "Cache", "Simulator",
            "Operations",
        ],
        "recorder": [
            "EventModel", "Postgres", "PayloadCodec", "EventStore", "Schema", "Projector", "ReadModel", "Operations",
            "Simulator", "Cache", "Directory", "Privacy", "Benchmarks", "ArgumentParser", "Configuration", "Logging",
            "ServiceLifecycle", "UnixSignals",
        ],
        "RecorderTesting": ["EventModel", "Postgres", "Schema", "Operations"],
        "EmbedSQL": [],
        "EmbedSQLPlugin": ["PackagePlugin"],
    ]

    /// What tests import besides what their target may: they start servers, make up events, and follow what a layer
    /// does through those above it.
    static let allowedInTests: [String: Set<String>] = [
        "Postgres": ["Operations"],
        "Projector": ["Operations", "Simulator"],
        "Directory": ["Operations", "PayloadCodec", "Projector", "ReadModel", "Schema"],
        "Operations": ["Metrics", "Postgres"],
        "Privacy": ["Directory", "Operations", "PayloadCodec", "ReadModel"],
        "EndToEnd": ["EventModel", "Operations", "Postgres"],
        "Fault": ["EventModel", "Operations", "Postgres", "Simulator"],
    ]

    /// Who speaks to operators and meters may do so: above `Postgres`, whose connections carry a logger, all but the
    /// codec, the schema and the pure targets.
    static let mayLog: Set<String> = [
        "EventStore", "Projector", "Directory", "Cache", "Privacy", "Operations", "Benchmarks", "RecorderTesting",
    ]

    /// Modules that come with the toolchain.
    static let toolchain: Set<String> = [
        "Dispatch", "Foundation", "FoundationEssentials", "Glibc", "Synchronization", "Testing",
    ]

    /// A Swift file of the package.
    struct SourceFile: Sendable, CustomTestStringConvertible {
        let path: String
        let text: String
        /// The folder below `Sources` or `Tests`.
        var target: String { String(path.split(separator: "/")[1]) }
        var testDescription: String { path }

        /// The modules that the file imports, each with its line.
        var imports: [(module: String, line: Int)] {
            var found: [(module: String, line: Int)] = []
            for (number, line) in text.components(separatedBy: "\n").enumerated() {
                let words = line.split(separator: " ").map(String.init)
                guard let keyword = words.firstIndex(of: "import"),
                    words[..<keyword].allSatisfy({ Self.modifiers.contains($0) || $0.hasPrefix("@") })
                else { continue }
                guard let module = words[(keyword + 1)...].first(where: { !Self.kinds.contains($0) }) else { continue }
                found.append((String(module.prefix { $0 != "." }), number + 1))
            }
            return found
        }

        private static let modifiers: Set<String> = [
            "package", "public", "internal", "private", "fileprivate",
        ]
        private static let kinds: Set<String> = ["struct", "class", "enum", "protocol", "func", "var", "let"]
    }

    /// The package's folder: three above this file.
    static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static func files(in folder: String) -> [SourceFile] {
        let paths = try? FileManager.default.subpathsOfDirectory(
            atPath: root.appending(path: folder).path(percentEncoded: false)
        )
        // What a tool built there is hidden.
        return (paths ?? []).filter { $0.hasSuffix(".swift") && !$0.contains("/.") }.sorted().compactMap { path in
            let text = try? String(contentsOf: root.appending(path: "\(folder)/\(path)"), encoding: .utf8)
            return text.map { SourceFile(path: "\(folder)/\(path)", text: $0) }
        }
    }

    @Test func `the sources are found`() {
        #expect(Self.files(in: "Sources").count > 20)
        #expect(Self.files(in: "Tests").count > 8)
    }

    @Test(arguments: files(in: "Sources"))
    func `a file imports only what its target may`(file: SourceFile) throws {
        let allowed = try #require(
            Self.allowed[file.target],
            "\(file.path): add the target \(file.target) to the table, here and in design.md"
        )
        for (module, line) in file.imports {
            let isAllowed =
                allowed.contains(module)
                || (file.target == "EventModel" ? module == "FoundationEssentials" : Self.toolchain.contains(module))
                || (Self.mayLog.contains(file.target) && ["Logging", "Metrics"].contains(module))
            #expect(
                isAllowed && (module != "Testing" || file.target == "RecorderTesting"),
                "\(file.path):\(line) imports \(module), which \(file.target) may not"
            )
        }
    }

    @Test(arguments: files(in: "Tests"))
    func `a test imports what its target may, and what tests are made with`(file: SourceFile) throws {
        let target = file.target.hasSuffix("Tests") ? String(file.target.dropLast(5)) : file.target
        let allowed = (Self.allowed[target] ?? []).union(Self.allowedInTests[target] ?? [])
        for (module, line) in file.imports {
            let isAllowed =
                module == target || module == "RecorderTesting" || module == "Logging" || allowed.contains(module)
                || Self.toolchain.contains(module)
            #expect(isAllowed, "\(file.path):\(line) imports \(module), which tests of \(target) may not")
        }
    }

    @Test func `C stays where it is`() {
        let files = Self.files(in: "Sources") + Self.files(in: "Tests")
        for module in ["CLZ4", "CLibcrypto"] {
            let paths = files.filter { $0.imports.contains { $0.module == module } }.map(\.path)
            #expect(paths.count == 1, "\(module) is imported in one file, not in \(paths)")
        }
        let libpq = files.filter { $0.imports.contains { $0.module == "CLibpq" } }
        #expect(libpq.allSatisfy { $0.target == "Postgres" }, "CLibpq is imported in Postgres only, not in \(libpq)")
    }

    @Test(arguments: files(in: "Sources") + files(in: "Tests"))
    func `a long file gives its reason`(file: SourceFile) {
        let lines = file.text.split(separator: "\n", omittingEmptySubsequences: false).count
        let hasReason = file.text.contains("// Long because ")
        #expect(
            lines <= 301 || hasReason,
            "\(file.path) has \(lines) lines: split it, or say '// Long because …' in it"
        )
    }

    /// The formatter leaves comments as they are.
    @Test(arguments: files(in: "Sources") + files(in: "Tests"))
    func `comments keep to 120 columns`(file: SourceFile) {
        for line in file.text.split(separator: "\n") where line.count > 120 {
            #expect(!line.drop { $0 == " " }.starts(with: "//"), "\(file.path): wrap '\(line)'")
        }
    }
}
