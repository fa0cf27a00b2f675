internal import EventModel

internal import Postgres

extension ReadModels {
    /// The most steps of one series.
    public static let longestSeries = 10_000

    /// Percentiles of stages over any range.
    ///
    /// - Parameters:
    ///   - stages: The stages, in the order of the result.
    ///   - percentiles: Numbers from 0 to 100.
    ///   - filter: Which measurements.
    /// - Returns: A summary for each stage; one that was not measured has the count 0.
    /// - Throws: ``ReadModelError`` with `.invalidArgument` if a percentile is out of range; `CancellationError`.
    public func latency(
        of stages: [LatencyStage],
        percentiles: [Double],
        _ filter: LatencyFilter = LatencyFilter()
    ) async throws -> [LatencySummary] {
        guard percentiles.allSatisfy({ (0...100).contains($0) }) else {
            throw ReadModelError(.invalidArgument, "a percentile is a number from 0 to 100")
        }
        return try await rows(SelectSummaries(stages: stages, percentiles: percentiles, filter: filter))
    }

    /// A stage's latencies over time, in equal steps without gaps.
    ///
    /// - Parameters:
    ///   - stage: The stage.
    ///   - step: How long a step is, a minute or more, and at most ten thousand years.
    ///   - filter: Which measurements. An open end is where the measurements begin or end; for steps of whole hours or
    ///     days these include the ones whose minutes were deleted.
    /// - Returns: The steps in order; none if nothing was measured and an end is open.
    /// - Throws: ``ReadModelError`` with `.invalidArgument` if the step is too short or too long, or there are more
    ///   than ``longestSeries``; `CancellationError`.
    public func latencySeries(
        of stage: LatencyStage,
        step: Duration,
        _ filter: LatencyFilter = LatencyFilter()
    ) async throws -> [LatencyBucket] {
        guard step >= .seconds(60), step <= Self.longestStep else {
            throw ReadModelError(.invalidArgument, "a step is a minute or more, and at most ten thousand years")
        }
        let length = step.components.seconds * 1_000_000
        var (from, until) = (filter.from, filter.until)
        if from == nil || until == nil {
            let select = SelectRange(stage: stage, length: length, filter: filter)
            guard let range = try await rows(select).first ?? nil else { return [] }
            from = from ?? Self.start(of: range.first, length: length)
            until = until ?? range.end
        }
        guard let from, let until, from < until else { return [] }
        let (range, overflows) = until.microseconds.subtractingReportingOverflow(from.microseconds)
        guard !overflows, range / length < Self.longestSeries else {
            throw ReadModelError(
                .invalidArgument,
                "the series has more than \(Self.longestSeries) steps: take longer ones"
            )
        }
        return try await rows(SelectSeries(stage: stage, from: from, until: until, length: length, filter: filter))
    }

    /// Spans all years that an event's time can have.
    private static let longestStep = Duration.seconds(10_000 * 366 * 86_400)

    /// The start of the step that contains a moment, also before 1970.
    private static func start(of moment: Timestamp, length: Int64) -> Timestamp {
        let past = moment.microseconds % length
        return Timestamp(microseconds: moment.microseconds - (past < 0 ? past + length : past))
    }
}

/// The function `latency_summary`, for several stages.
private struct SelectSummaries: PostgresStatement {
    let stages: [LatencyStage]
    let percentiles: [Double]
    let filter: LatencyFilter

    let sql = """
        select wanted.stage, coalesce(found.count, 0), found.sum_ms / found.count, found.min_ms, found.max_ms,
            array(
                select latency_histogram_percentile(found.bins, found.counts, p / 100, found.min_ms, found.max_ms)
                from unnest($6::double precision[]) with ordinality as asked(p, place) order by place
            )
        from unnest($1::text[]) with ordinality as wanted(stage, place)
        cross join lateral latency_summary(wanted.stage, $2, $3, $4, $5) as found
        order by wanted.place
        """

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        try parameters.append(stages.map(\.rawValue))
        try parameters.append(filter.from.map { PostgresTimestamp($0) })
        try parameters.append(filter.until.map { PostgresTimestamp($0) })
        try parameters.append(filter.provider)
        try parameters.append(filter.model)
        try parameters.append(percentiles)
    }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> LatencySummary {
        LatencySummary(
            stage: try row.word(at: 0),
            count: try row.decode(at: 1),
            meanMs: try row.decode(at: 2),
            minMs: try row.decode(at: 3),
            maxMs: try row.decode(at: 4),
            percentilesMs: try row.decode([Double?].self, at: 5)
        )
    }
}

/// The start of the first measured minute, and the end of the last; hours and days count where the minutes are gone and
/// a step consists of whole ones.
private struct SelectRange: PostgresStatement {
    let stage: LatencyStage
    /// The length of a step in microseconds.
    let length: Int64
    let filter: LatencyFilter

    let sql = """
        with ends as (
            select resolution, min(bucket_start) as first, max(bucket_start) as last from latency_metrics_parts
            where stage = $1 and ($2::text is null or provider = $2) and ($3::text is null or model = $3)
                and resolution = any($4::text[])
            group by resolution
        ), minutes as (
            select min(first) as first, max(last) + interval '1 minute' as until from ends where resolution = 'minute'
        ), hours as (
            select case when hour.first < date_trunc('hour', minutes.first, 'UTC') then hour.first
                    else coalesce(minutes.first, hour.first) end as first,
                case when hour.last >= minutes.until then hour.last + interval '1 hour'
                    else coalesce(minutes.until, hour.last + interval '1 hour') end as until
            from minutes left join ends as hour on hour.resolution = 'hour'
        )
        select case when day.first < date_trunc('day', hours.first, 'UTC') then day.first
                else coalesce(hours.first, day.first) end,
            case when day.last >= hours.until then day.last + interval '24 hours'
                else coalesce(hours.until, day.last + interval '24 hours') end
        from hours left join ends as day on day.resolution = 'day'
        """

    /// The resolutions that a step is made of.
    private var resolutions: [String] {
        ["minute"] + (length % 3_600_000_000 == 0 ? ["hour"] : []) + (length % 86_400_000_000 == 0 ? ["day"] : [])
    }

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        try parameters.append(stage.rawValue)
        try parameters.append(filter.provider)
        try parameters.append(filter.model)
        try parameters.append(resolutions)
    }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> (first: Timestamp, end: Timestamp)? {
        guard let first = try row.moment(at: 0), let end = try row.moment(at: 1) else { return nil }
        return (first, end)
    }
}

/// The function `latency_series`.
private struct SelectSeries: PostgresStatement {
    let stage: LatencyStage
    let from: Timestamp
    let until: Timestamp
    /// The length of a step in microseconds.
    let length: Int64
    let filter: LatencyFilter

    let sql = """
        select bucket_start, count, mean_ms, min_ms, max_ms, p50_ms, p95_ms, p99_ms
        from latency_series($1, $2, $3, $4::bigint * interval '1 microsecond', $5, $6) order by bucket_start
        """

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        try parameters.append(stage.rawValue)
        try parameters.append(PostgresTimestamp(from))
        try parameters.append(PostgresTimestamp(until))
        try parameters.append(length)
        try parameters.append(filter.provider)
        try parameters.append(filter.model)
    }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> LatencyBucket {
        LatencyBucket(
            start: Timestamp(microseconds: try row.unixMicroseconds(at: 0)),
            count: try row.decode(at: 1),
            meanMs: try row.decode(at: 2),
            minMs: try row.decode(at: 3),
            maxMs: try row.decode(at: 4),
            p50Ms: try row.decode(at: 5),
            p95Ms: try row.decode(at: 6),
            p99Ms: try row.decode(at: 7)
        )
    }
}
