internal import EventModel
internal import EventStore

/// A shard that a worker holds: its checkpoint in the database, and what the worker knows beyond that.
struct OwnedShard {
    /// The checkpoint as it stands in the database.
    var checkpoint: Checkpoint
    /// Where the worker has read to. It is ahead of the checkpoint while there is nothing to fold for this shard:
    /// reading that stretch again costs little, storing the cursor each time would cost much.
    var cursor: LogCursor
    /// How many events lie between the checkpoint and the cursor, none of which the projection handles.
    var passed = 0
    /// The streams in quarantine.
    var stopped: Set<StreamID>

    init(_ checkpoint: Checkpoint, stopped: Set<StreamID>) {
        self.checkpoint = checkpoint
        cursor = checkpoint.cursor
        self.stopped = stopped
    }

    /// Records that the checkpoint was moved to a cursor.
    mutating func advanced(to cursor: LogCursor, given: Int) {
        checkpoint = Checkpoint(checkpoint, cursor: cursor, events: checkpoint.events + Int64(given))
        self.cursor = cursor
        passed = 0
    }
}
