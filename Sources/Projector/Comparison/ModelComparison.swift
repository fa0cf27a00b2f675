/// What a comparison found.
package struct ModelComparison: Sendable {
    /// The views that were compared, and how many rows the log produces for each.
    package var rows: [(view: String, rows: Int)] = []
    /// How many rows differ.
    package var differenceCount = 0
    /// The first of them.
    package var differences: [RowDifference] = []
    /// Columns that only one of two versions has.
    package var uncompared: [String] = []
    /// How many of the log's rows are not compared, because retention deletes rows of that age from the live model.
    package var pastRetention = 0
}
