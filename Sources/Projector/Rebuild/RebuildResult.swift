package import Schema

/// What became of one of the projections that were rebuilt.
package struct RebuildResult: Sendable {
    package let projection: ProjectionFiles
    /// A failure is a ``ProjectorError`` with `.modelsDiffer` if the new model differs and that was not accepted (the
    /// shadow stays for the next run), `.projectionFailed`, `.rebuildMoved` or `.readersInTheWay`; a `SchemaError` with
    /// `.inUse`; or a `PostgresError`.
    package let outcome: Result<RebuildOutcome, any Error>
}
