internal import Foundation

extension SQLFiles {
    /// A folder's path without slashes at its end.
    package static func bare(_ path: String) -> String { String(path.reversed().drop { $0 == "/" }.reversed()) }

    /// Reads a folder of projections, `<name>/v<number>/*.sql`, or the folder `projections` in it.
    ///
    /// - Throws: ``SchemaError`` with code `.invalidFile` if the folder or a
    ///   file cannot be read, or a file is not UTF-8.
    package init(projections directory: String) throws(SchemaError) {
        let given = URL(filePath: directory, directoryHint: .isDirectory)
        let inner = given.appending(path: "projections")
        let isOuter = FileManager.default.fileExists(atPath: inner.path(percentEncoded: false))
        let root = isOuter ? inner : given
        var texts: [String: String] = [:]
        do {
            for (path, text) in try Self.sql(below: root) { texts["projections/\(path)"] = text }
        } catch {
            throw SchemaError(
                .invalidFile,
                "cannot read the projections in \(directory): \(error.fileReason); name a folder of "
                    + "<name>/v<number>/ with UTF-8 files",
                cause: error
            )
        }
        self.init(
            texts: texts,
            origin: directory,
            projections: isOuter ? "\(Self.bare(directory))/projections" : Self.bare(directory)
        )
    }
}
