internal import EventModel

extension EventAppender {
    /// Appends of one lane that are queued together.
    struct LaneBatch {
        let lane: Int
        var places: [Int] = []
        var size = 0

        mutating func add(_ place: Int, size: Int) {
            places.append(place)
            self.size += size
        }
    }

    /// The most bytes that are queued at once, so that producers with many appends take turns.
    private static let batchSize = 256 << 10

    /// Divides appends into batches of one lane each, in their order.
    func laneBatches(of appends: [some StreamAppend]) -> [LaneBatch] {
        var batches: [LaneBatch] = []
        var open = [Int?](repeating: nil, count: lanes)
        for (place, append) in appends.enumerated() {
            let lane = lane(of: append.stream)
            let size = AppendRequest.size(of: append)
            if let batch = open[lane], batches[batch].size + size <= Self.batchSize {
                batches[batch].add(place, size: size)
            } else {
                open[lane] = batches.count
                batches.append(LaneBatch(lane: lane))
                batches[batches.count - 1].add(place, size: size)
            }
        }
        return batches
    }

    // Not for other targets: generic code is specialised in its own target only.
    func handOver(appends: [some StreamAppend], since outages: Outages? = nil) async throws -> AppendOutcomes {
        let outcomes = AppendOutcomes(count: appends.count)
        let outages = outages ?? self.outages
        var taken = 0
        for batch in laneBatches(of: appends) {
            do {
                try await put(batch, of: appends, outcomes, since: outages.counts[batch.lane])
                taken += batch.places.count
            } catch {
                guard taken > 0 || AppendResult.failure(error).isUnavailable else { throw error }
                outcomes.settle(batch.places.lazy.map { ($0, .failure(error)) })
            }
        }
        return outcomes
    }

    /// Queues some appends of one lane; one that cannot be packed fails alone.
    private func put(
        _ batch: LaneBatch,
        of appends: [some StreamAppend],
        _ outcomes: AppendOutcomes,
        since outages: Int
    ) async throws {
        let places = batch.places
        let packing = packings.current
        let keys = await sealer?.keys(forEachOf: appends, at: places)
        try await reserve(batch.size, in: batch.lane, for: places.map { appends[$0].stream })
        var contents = AppendParcelContents(
            packing: packing,
            fields: keys?.fields,
            size: batch.size,
            appends: places.count
        )
        var failures: [(place: Int, result: AppendResult)] = []
        for (index, place) in places.enumerated() {
            do {
                try contents.add(appends[place], place: place, key: keys?.key(at: index))
            } catch {
                failures.append((place, .failure(error)))
            }
        }
        if failures.contains(where: \.result.isUnavailable) { queue.noteOutage(in: batch.lane) }
        outcomes.settle(failures)
        sealer?.forget(failures.map { appends[$0.place].stream })
        guard !contents.isEmpty else { return queue.release(batch.size) }
        let parcel = AppendParcel(contents, isOneAppend: false, size: batch.size, outcomes: outcomes, sealer: sealer)
        do {
            try queue.put(parcel, in: batch.lane, since: outages)
        } catch {
            guard failures.isEmpty else { return parcel.settle(error) }
            sealer?.forget(places.map { appends[$0].stream })
            throw error
        }
    }
}
