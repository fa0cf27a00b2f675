/// The SQL types that a column of `batch` may be declared with; the projector converts JSON values to them.
package enum FieldType: String, Hashable, Sendable, CaseIterable {
    case text
    case uuid
    case boolean
    case smallint
    case integer
    case bigint
    case doublePrecision = "double precision"
    case numeric
    case timestamptz
    case jsonb
}
