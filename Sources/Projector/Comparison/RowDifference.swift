/// One row in which two models differ.
package struct RowDifference: Sendable, Hashable {
    /// A column and its two values as text; `nil` is NULL.
    package struct Column: Sendable, Hashable {
        package let name: String
        /// What the log says.
        package let expected: String?
        /// What the live model holds.
        package let found: String?
    }

    /// What is wrong with the row.
    package enum Kind: String, Sendable {
        /// The live model does not have it.
        case missing
        /// The log does not account for it.
        case extra
        /// Some of its columns differ.
        case changed
    }

    /// The view that shows the row.
    package let view: String
    package let kind: Kind
    /// The columns that tell the view's rows apart, with the row's values.
    package let key: [Column]
    /// The columns that differ.
    package let columns: [Column]
}
