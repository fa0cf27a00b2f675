internal import Schema

extension [ProjectionFiles] {
    /// A version of a projection.
    ///
    /// - Parameter version: `nil` for the newest.
    /// - Throws: ``ProjectorError`` with `.invalidProjection` if there is none.
    func version(_ version: Int?, of name: String) throws -> ProjectionFiles {
        let versions = filter { $0.name == name }
        guard let newest = versions.last else {
            let names = Set(map(\.name)).sorted().joined(separator: ", ")
            throw ProjectorError(
                .invalidProjection,
                "there is no projection \(name), but \(names): name the folder of one of your own with --projections"
            )
        }
        guard let version else { return newest }
        guard let found = versions.first(where: { $0.version == version }) else {
            throw ProjectorError(
                .invalidProjection,
                "there is no version \(version) of \(name), but "
                    + versions.map { "\($0.version)" }.joined(separator: ", ")
            )
        }
        return found
    }
}
