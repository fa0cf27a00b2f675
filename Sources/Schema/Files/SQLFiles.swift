internal import Foundation

/// The SQL folders `migrations` and `projections`: as the program carries them, or as they are on disk.
package struct SQLFiles: Sendable {
    /// A file's text by its path from the folder that holds both, such as `migrations/0001_log.up.sql`.
    package let texts: [String: String]

    /// Where the files came from, for messages: a folder's path, or `this program`.
    package let origin: String

    /// Where new files are written; nil for the program's own files.
    package let directory: String?

    /// The folder of the projections, for messages.
    let projections: String

    /// The files that the program was built with.
    package static let embedded = SQLFiles(texts: embeddedSQL, origin: "this program")

    /// Files from memory, for tests and tools.
    package init(
        texts: [String: String],
        origin: String = "memory",
        directory: String? = nil,
        projections: String = "projections"
    ) {
        self.texts = texts
        self.origin = origin
        self.directory = directory
        self.projections = projections
    }

    /// Reads the files below a folder.
    ///
    /// - Parameter directory: A folder that holds `migrations` and `projections` (either may be absent), or a folder
    ///   of migrations itself.
    /// - Throws: ``SchemaError`` with code `.invalidFile` if the folder or a file cannot be read, or a file is not
    ///   UTF-8.
    package init(directory: String) throws(SchemaError) {
        let root = URL(filePath: directory, directoryHint: .isDirectory)
        let folders = ["migrations", "projections"].filter {
            FileManager.default.fileExists(atPath: root.appending(path: $0).path(percentEncoded: false))
        }
        var texts: [String: String] = [:]
        do {
            // Only these two: the folder that holds them may hold much else.
            for (name, folder) in folders.isEmpty
                ? [("migrations", root)] : folders.map({ ($0, root.appending(path: $0)) })
            {
                for (path, text) in try Self.sql(below: folder) { texts["\(name)/\(path)"] = text }
            }
        } catch {
            throw SchemaError(
                .invalidFile,
                "cannot read the SQL files in \(directory): \(error.fileReason); name a folder that holds "
                    + "migrations as UTF-8 files",
                cause: error
            )
        }
        self.init(
            texts: texts,
            origin: directory,
            directory: folders.isEmpty ? directory : root.appending(path: "migrations").path(percentEncoded: false)
        )
    }

    /// Reads the SQL files below a folder on disk; the keys are their paths from it.
    static func sql(below folder: URL) throws -> [String: String] {
        let paths = try FileManager.default.subpathsOfDirectory(atPath: folder.path(percentEncoded: false))
        return try Dictionary(
            uniqueKeysWithValues: paths.filter { $0.hasSuffix(".sql") }.map { path in
                (path, try String(contentsOf: folder.appending(path: path), encoding: .utf8))
            }
        )
    }

    /// The files below a folder, by their paths from it, in order.
    func files(in folder: String) -> [(path: String, text: String)] {
        texts.filter { $0.key.hasPrefix("\(folder)/") }
            .map { (path: String($0.key.dropFirst(folder.count + 1)), text: $0.value) }
            .sorted { $0.path < $1.path }
    }
}
