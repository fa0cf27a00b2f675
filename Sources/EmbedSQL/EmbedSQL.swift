import Foundation

/// Writes a Swift file that holds the text of each `.sql` file of some folders:
/// `embed-sql OUTPUT FOLDER…`. Run by the build (`EmbedSQLPlugin`).
@main
struct EmbedSQL {
    static func main() throws {
        let arguments = CommandLine.arguments.dropFirst()
        guard let output = arguments.first, arguments.count > 1 else {
            FileHandle.standardError.write(Data("usage: embed-sql OUTPUT FOLDER…\n".utf8))
            exit(1)
        }
        var lines = [
            "/// The SQL folders as they were when the program was built: paths such as `migrations/0001_log.up.sql`,",
            "/// and what the files hold.",
            "let embeddedSQL: [String: String] = [",
        ]
        for folder in arguments.dropFirst().map({ URL(filePath: $0, directoryHint: .isDirectory) }) {
            for path in try sqlFiles(in: folder) {
                let text = try String(contentsOf: folder.appending(path: path), encoding: .utf8)
                lines.append("    \(literal("\(folder.lastPathComponent)/\(path)")): \(literal(text)),")
            }
        }
        if lines.last?.hasSuffix("= [") == true { lines.append("    :") }
        let source = (lines + ["]", ""]).joined(separator: "\n")
        let file = URL(filePath: output)
        // An unchanged file keeps its date, so that nothing is compiled again for it.
        if let before = try? String(contentsOf: file, encoding: .utf8), before == source { return }
        try source.write(to: file, atomically: true, encoding: .utf8)
    }

    /// The `.sql` files of a folder and of those in it, as paths from the folder, in order.
    private static func sqlFiles(in folder: URL) throws -> [String] {
        guard FileManager.default.fileExists(atPath: folder.path(percentEncoded: false)) else { return [] }
        return try FileManager.default.subpathsOfDirectory(atPath: folder.path(percentEncoded: false))
            .filter { $0.hasSuffix(".sql") && !$0.split(separator: "/").contains { $0.hasPrefix(".") } }
            .sorted()
    }

    /// A Swift string literal, on one line whatever the text holds.
    private static func literal(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": result += "\\n"
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                result += "\\u{\(String(scalar.value, radix: 16))}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
