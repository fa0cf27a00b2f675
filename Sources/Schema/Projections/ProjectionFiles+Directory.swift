internal import Foundation

extension ProjectionFiles {
    /// Reads the folder of one version, `…/NAME/v1`, or of a projection with all its versions, `…/NAME`.
    ///
    /// - Returns: The versions, ascending; at least one.
    /// - Throws: ``SchemaError`` with code `.invalidFile` if there is no such folder, a file
    ///   cannot be read, or one breaks the contract.
    package static func all(inDirectory path: String) throws(SchemaError) -> [ProjectionFiles] {
        let folder = URL(filePath: path, directoryHint: .isDirectory).standardizedFileURL
        let isVersion = folder.lastPathComponent.wholeMatch(of: #/v[1-9][0-9]{0,5}/#) != nil
        let projection = isVersion ? folder.deletingLastPathComponent() : folder
        var texts: [String: String] = [:]
        do {
            for (file, text) in try SQLFiles.sql(below: folder) {
                let place = isVersion ? "\(folder.lastPathComponent)/\(file)" : file
                texts["projections/\(projection.lastPathComponent)/\(place)"] = text
            }
        } catch {
            throw SchemaError(.invalidFile, "cannot read \(path): \(error.fileReason)", cause: error)
        }
        guard !texts.isEmpty else {
            throw SchemaError(
                .invalidFile,
                "\(path) holds no table.sql, apply.sql and view.sql: name a folder such as projections/NAME/v1"
            )
        }
        let parent = projection.deletingLastPathComponent().path(percentEncoded: false)
        return try all(in: SQLFiles(texts: texts, origin: path, projections: SQLFiles.bare(parent)))
    }
}
