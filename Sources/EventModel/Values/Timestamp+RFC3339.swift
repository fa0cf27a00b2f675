extension Timestamp: CustomStringConvertible {
    /// Why a text is not a time.
    package enum Refusal: Error, Sendable {
        /// It does not have the form of RFC 3339.
        case form
        /// It has the form, but no such day or time of day exists.
        case calendar
        /// Its fraction has more than nine digits.
        case tooFine

        /// The reason in words.
        var text: String {
            switch self {
            case .form: "it is not an RFC 3339 time, such as 2026-03-02T08:00:09.661600Z"
            case .calendar: "no such day or time of day exists"
            case .tooFine: "it has more than nine digits of fraction; microseconds are kept"
            }
        }
    }

    /// Reads an RFC 3339 time from bytes.
    ///
    /// The date must exist in the calendar. Up to nine digits of fraction are accepted and cut to microseconds; `T`,
    /// `t` or a space separates date and time, as section 5.6 allows. A leap second (`23:59:60` UTC on 30 June or 31
    /// December) becomes the second after it, because neither POSIX nor PostgreSQL has one.
    package static func parse(_ bytes: Span<UInt8>, in range: Range<Int>) throws(Refusal) -> Timestamp {
        var reader = Reader(at: range.lowerBound, until: min(range.upperBound, bytes.count))
        guard
            let year = reader.digits(4, bytes), reader.take(UInt8(ascii: "-"), bytes),
            let month = reader.digits(2, bytes), reader.take(UInt8(ascii: "-"), bytes),
            let day = reader.digits(2, bytes),
            reader.take(UInt8(ascii: "T"), bytes) || reader.take(UInt8(ascii: "t"), bytes)
                || reader.take(UInt8(ascii: " "), bytes),
            let hour = reader.digits(2, bytes), reader.take(UInt8(ascii: ":"), bytes),
            let minute = reader.digits(2, bytes), reader.take(UInt8(ascii: ":"), bytes),
            let second = reader.digits(2, bytes)
        else { throw .form }
        let fraction = try reader.fraction(bytes)
        let offset = try reader.zoneOffset(bytes)
        guard reader.isAtEnd else { throw .form }

        guard
            (1...12).contains(month), day >= 1, day <= Calendar.days(inMonth: month, of: year), hour < 24, minute < 60,
            second <= 60
        else { throw .calendar }
        let seconds = Calendar.day(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset
        if second == 60 {
            let next = Calendar.date(ofDay: seconds.flooredQuotient(86_400))
            guard seconds.flooredRemainder(86_400) == 0, next.day == 1, next.month == 1 || next.month == 7 else {
                throw .calendar
            }
        }
        guard seconds >= Calendar.firstSecond, seconds <= Calendar.lastSecond else { throw .calendar }
        return Timestamp(microseconds: seconds * 1_000_000 + fraction)
    }

    /// Whether RFC 3339 can express the moment in UTC, that is, in the years 0 to 9999.
    package var isInRFC3339: Bool {
        microseconds >= Calendar.firstSecond * 1_000_000 && microseconds < (Calendar.lastSecond + 1) * 1_000_000
    }

    /// The time in UTC with six digits of fraction, such as `2026-03-02T08:00:09.661600Z`.
    ///
    /// Years outside 0 to 9999, which RFC 3339 cannot express, begin with a sign, as in ISO 8601.
    public var description: String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(32)
        appendText(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends ``description``, 27 bytes for the years 0 to 9999.
    package func appendText(to bytes: inout [UInt8]) {
        let seconds = microseconds.flooredQuotient(1_000_000)
        let (year, month, day) = Calendar.date(ofDay: seconds.flooredQuotient(86_400))
        let time = seconds.flooredRemainder(86_400)
        if year < 0 || year > 9999 { bytes.append(year < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+")) }
        if year.magnitude > 9999 { bytes.append(contentsOf: String(year.magnitude / 10_000).utf8) }
        Timestamp.append(Int64(year.magnitude % 10_000), digits: 4, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        Timestamp.append(month, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        Timestamp.append(day, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: "T"))
        Timestamp.append(time / 3600, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        Timestamp.append(time / 60 % 60, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        Timestamp.append(time % 60, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: "."))
        Timestamp.append(microseconds.flooredRemainder(1_000_000), digits: 6, to: &bytes)
        bytes.append(UInt8(ascii: "Z"))
    }

    private static func append(_ value: Int64, digits: Int, to bytes: inout [UInt8]) {
        var divisor: Int64 = 1
        for _ in 1..<digits { divisor *= 10 }
        while divisor > 0 {
            bytes.append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: value / divisor % 10))
            divisor /= 10
        }
    }
}

/// A position in bytes from which fixed-width numbers are read.
private struct Reader {
    var offset: Int
    let end: Int

    init(at offset: Int, until end: Int) {
        self.offset = offset
        self.end = end
    }

    var isAtEnd: Bool { offset == end }

    /// Reads exactly `count` decimal digits; otherwise reads nothing and returns `nil`.
    mutating func digits(_ count: Int, _ bytes: Span<UInt8>) -> Int64? {
        guard end - offset >= count else { return nil }
        var value: Int64 = 0
        for index in offset..<offset + count {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            value = value * 10 + Int64(digit)
        }
        offset += count
        return value
    }

    /// Reads a fraction of a second with its point, if one is next.
    ///
    /// - Returns: Microseconds.
    @inline(__always)
    mutating func fraction(_ bytes: Span<UInt8>) throws(Timestamp.Refusal) -> Int64 {
        guard take(UInt8(ascii: "."), bytes) else { return 0 }
        var fraction: Int64 = 0
        var count = 0
        while let digit = digits(1, bytes) {
            if count < 6 { fraction = fraction * 10 + digit }
            count += 1
        }
        guard count > 0 else { throw .form }
        guard count <= 9 else { throw .tooFine }
        for _ in min(count, 6)..<6 { fraction *= 10 }
        return fraction
    }

    /// Reads how far local time is ahead of UTC: `Z`, or hours and minutes with a sign.
    ///
    /// - Returns: Seconds.
    @inline(__always)
    mutating func zoneOffset(_ bytes: Span<UInt8>) throws(Timestamp.Refusal) -> Int64 {
        if take(UInt8(ascii: "Z"), bytes) || take(UInt8(ascii: "z"), bytes) { return 0 }
        let isWest = take(UInt8(ascii: "-"), bytes)
        guard
            isWest || take(UInt8(ascii: "+"), bytes), let hours = digits(2, bytes), take(UInt8(ascii: ":"), bytes),
            let minutes = digits(2, bytes)
        else { throw .form }
        guard hours < 24, minutes < 60 else { throw .calendar }
        return (hours * 60 + minutes) * (isWest ? -60 : 60)
    }

    /// Moves past `byte` if it is next.
    mutating func take(_ byte: UInt8, _ bytes: Span<UInt8>) -> Bool {
        guard offset < end, bytes[offset] == byte else { return false }
        offset += 1
        return true
    }
}

/// The proleptic Gregorian calendar in days since 1970-01-01.
///
/// The arithmetic counts years from March, so that the leap day is a year's last.
private enum Calendar {
    /// 0000-01-01T00:00:00Z.
    static let firstSecond = day(0, 1, 1) * 86_400
    /// 9999-12-31T23:59:59Z.
    static let lastSecond = day(10_000, 1, 1) * 86_400 - 1

    static func days(inMonth month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    static func day(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month > 2 ? year : year - 1
        let era = shifted.flooredQuotient(400)
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    static func date(ofDay day: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = day + 719_468
        let era = shifted.flooredQuotient(146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }
}

extension Int64 {
    /// Division that rounds towards negative infinity, by a positive number.
    fileprivate func flooredQuotient(_ divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }

    /// The remainder of ``flooredQuotient(_:)``, never negative.
    fileprivate func flooredRemainder(_ divisor: Int64) -> Int64 {
        let remainder = self % divisor
        return remainder < 0 ? remainder + divisor : remainder
    }
}
