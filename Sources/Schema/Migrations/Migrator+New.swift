internal import Foundation

extension Migrator {
    /// Refuses what cannot name a migration.
    ///
    /// - Throws: ``SchemaError`` with code `.invalidFile`.
    package static func check(name: String) throws(SchemaError) {
        guard name.wholeMatch(of: #/[a-z][a-z0-9_]*/#) != nil else {
            throw SchemaError(
                .invalidFile,
                "a migration is named with small letters, digits and underscores, not \"\(name)\""
            )
        }
    }

    /// Writes the two files of a new migration, numbered after the last.
    ///
    /// - Parameter name: Small letters, digits and underscores.
    /// - Returns: The paths of the new files.
    /// - Throws: ``SchemaError`` with code `.invalidFile` if the name does not fit or the files cannot be written.
    package func new(name: String) throws(SchemaError) -> [String] {
        try Self.check(name: name)
        guard let directory = files.directory else {
            throw SchemaError(
                .invalidFile,
                "new migrations need a folder to stand in: give one, such as --migrations migrations"
            )
        }
        let version = (try Migration.all(in: files).last?.version ?? 0) + 1
        let title = Migration.title(version: version, name: name)
        var paths: [String] = []
        for (ending, text) in [
            ("up", "-- What this step adds, and why.\n"), ("down", "-- Takes back what \(title).up.sql did.\n"),
        ] {
            let file = URL(filePath: directory).appending(path: "\(title).\(ending).sql")
            do {
                try Data(text.utf8).write(to: file, options: .withoutOverwriting)
            } catch {
                throw SchemaError(
                    .invalidFile,
                    "cannot write \(file.path(percentEncoded: false)): \(error.fileReason)",
                    cause: error
                )
            }
            paths.append(file.path(percentEncoded: false))
        }
        return paths
    }
}
