/// A condition on the columns of one kind of record, which selects rows.
///
/// Conditions combine with `&&`, `||` and `!`. `== nil` and `!= nil` ask whether a column holds NULL, as
/// ``Column/isNull()`` does; any other comparison with NULL is true of no row, as in SQL.
public struct Filter<Record>: Sendable {
    let write: @Sendable (inout SQLText) -> Void

    init(_ write: @escaping @Sendable (inout SQLText) -> Void) { self.write = write }

    /// Both hold.
    public static func && (left: Filter, right: Filter) -> Filter { joined(left, " and ", right) }

    /// At least one holds.
    public static func || (left: Filter, right: Filter) -> Filter { joined(left, " or ", right) }

    /// It does not hold.
    public static prefix func ! (filter: Filter) -> Filter {
        Filter { text in
            text.add("not (")
            filter.write(&text)
            text.add(")")
        }
    }

    private static func joined(_ left: Filter, _ word: String, _ right: Filter) -> Filter {
        Filter { text in
            text.add("(")
            left.write(&text)
            text.add(word)
            right.write(&text)
            text.add(")")
        }
    }
}

extension Column {
    fileprivate func compare(_ sign: String, _ value: Value) -> Filter<Record> {
        let value = BoundValue(value, Value.coding)
        return Filter { [name] text in
            text.add("\(name) \(sign) ")
            text.add(value)
        }
    }

    fileprivate static func isNull(_ name: String) -> Filter<Record> { Filter { text in text.add("\(name) is null") } }

    private func isNull(_ value: Value) -> Bool { BoundValue(value, Value.coding).bytes == nil }

    /// The column holds the value; NULL, if that is nil.
    public static func == (column: Column, value: Value) -> Filter<Record> where Value: Equatable {
        column.isNull(value) ? isNull(column.name) : column.compare("=", value)
    }

    /// The column holds another value; any value, if that is nil.
    public static func != (column: Column, value: Value) -> Filter<Record> where Value: Equatable {
        column.isNull(value) ? !isNull(column.name) : column.compare("<>", value)
    }

    /// The column holds a smaller value.
    public static func < (column: Column, value: Value) -> Filter<Record> where Value: Comparable {
        column.compare("<", value)
    }

    /// The column holds the value or a smaller one.
    public static func <= (column: Column, value: Value) -> Filter<Record> where Value: Comparable {
        column.compare("<=", value)
    }

    /// The column holds a greater value.
    public static func > (column: Column, value: Value) -> Filter<Record> where Value: Comparable {
        column.compare(">", value)
    }

    /// The column holds the value or a greater one.
    public static func >= (column: Column, value: Value) -> Filter<Record> where Value: Comparable {
        column.compare(">=", value)
    }

    /// The column holds one of the values; NULL, if nil is one of them.
    public func isIn(_ values: [Value]) -> Filter<Record> where Value: Equatable {
        let array = Value.coding.array(values)
        let isIn = Filter<Record> { [name] text in
            text.add("\(name) = any(")
            text.add(array)
            text.add(")")
        }
        return values.contains(where: isNull) ? isIn || Column.isNull(name) : isIn
    }
}

extension Column {
    /// The column, which may hold NULL, holds a smaller value.
    public static func < <Wrapped: ColumnValue & Comparable>(column: Column, value: Wrapped) -> Filter<Record>
    where Value == Wrapped? { column.compare("<", value) }

    /// The column, which may hold NULL, holds the value or a smaller one.
    public static func <= <Wrapped: ColumnValue & Comparable>(column: Column, value: Wrapped) -> Filter<Record>
    where Value == Wrapped? { column.compare("<=", value) }

    /// The column, which may hold NULL, holds a greater value.
    public static func > <Wrapped: ColumnValue & Comparable>(column: Column, value: Wrapped) -> Filter<Record>
    where Value == Wrapped? { column.compare(">", value) }

    /// The column, which may hold NULL, holds the value or a greater one.
    public static func >= <Wrapped: ColumnValue & Comparable>(column: Column, value: Wrapped) -> Filter<Record>
    where Value == Wrapped? { column.compare(">=", value) }

    /// The column holds NULL.
    public func isNull<Wrapped: ColumnValue>() -> Filter<Record> where Value == Wrapped? { Column.isNull(name) }
}

extension Column where Value == String {
    /// The column holds the text, whatever its letters' case.
    public func equalsIgnoringCase(_ value: String) -> Filter<Record> {
        let value = BoundValue(value)
        return Filter { [name] text in
            text.add("lower(\(name)) = lower(")
            text.add(value)
            text.add(")")
        }
    }

    /// The column's text begins with these characters.
    public func hasPrefix(_ prefix: String) -> Filter<Record> {
        let prefix = BoundValue(prefix)
        return Filter { [name] text in
            text.add("starts_with(\(name), ")
            text.add(prefix)
            text.add(")")
        }
    }
}

extension Column where Value == [String] {
    /// One of the column's elements is this text.
    public func contains(_ element: String) -> Filter<Record> {
        let array = BoundValue([element])
        return Filter { [name] text in
            text.add("\(name) @> ")
            text.add(array)
        }
    }
}
