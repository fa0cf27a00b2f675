/// What a comparison found.
package struct ModelComparison: Sendable {
    /// The views that were compared, and how many rows the log makes of each.
    package var rows: [(view: String, rows: Int)] = []
    /// How many rows differ.
    package var differenceCount = 0
    /// The first of them.
    package var differences: [RowDifference] = []
    /// Columns that only one of two versions has.
    package var uncompared: [String] = []
    /// How many of the rows that the log makes are older than what retention left
    /// of the live model: they are not compared.
    package var pastRetention = 0
}
