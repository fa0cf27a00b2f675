package import Foundation
internal import Schema

/// The commented files that a new projection starts from. They pass ``ProjectionCheck`` unchanged, and count the
/// completed turns of each session as an example.
package struct ProjectionTemplate: Sendable {
    /// The projection's name.
    package let name: String

    /// - Throws: ``ProjectorError`` with `.invalidProjection` if the name cannot
    ///   be that of a folder, a table and a view.
    package init(name: String) throws {
        // The longest name made of it is "<name>_v1_pkey", and PostgreSQL cuts names to 63 bytes.
        guard name.wholeMatch(of: #/[a-z][a-z0-9_]{0,49}/#) != nil else {
            throw ProjectorError(
                .invalidProjection,
                "\"\(name)\" cannot name a projection: use small letters, digits and underscores, a letter first, at most 50"
            )
        }
        self.name = name
    }

    /// Writes the folder `NAME/v1`.
    ///
    /// - Parameter projections: The folder that holds the projections; made if it is not there.
    /// - Returns: The paths of the three files.
    /// - Throws: ``ProjectorError`` with `.invalidProjection` if the projection is there already, or a file cannot be
    ///   written.
    package func write(into projections: URL) throws -> [String] {
        let folder = projections.appending(path: name)
        let path = folder.path(percentEncoded: false)
        guard !FileManager.default.fileExists(atPath: path) else {
            throw ProjectorError(
                .invalidProjection,
                "\(path) is there already: a new version of it begins as a copy, such as cp -r \(path)/v1 \(path)/v2"
            )
        }
        let version = folder.appending(path: "v1")
        do {
            try FileManager.default.createDirectory(at: version, withIntermediateDirectories: true)
            return try files.map { file, text in
                let url = version.appending(path: file)
                try Data(text.utf8).write(to: url, options: .withoutOverwriting)
                return url.path(percentEncoded: false)
            }
        } catch {
            throw ProjectorError(.invalidProjection, "cannot write \(path): \(error.fileReason)")
        }
    }

    /// The files' names and texts.
    package var files: [(name: String, text: String)] {
        [("table.sql", tableSQL), ("apply.sql", applySQL), ("view.sql", viewSQL)]
    }

    private var tableSQL: String {
        """
        -- The tables of this version; run once, when it is installed. Their names end in the version, so that two versions
        -- stand side by side, and the stream's id comes first in the key.
        --
        -- To change a table, copy the folder to v2: what was installed is never altered.
        create table \(name)_v1 (
            session_id        uuid         not null,
            completed_turns   bigint       not null,
            measured_turns    bigint       not null,
            latency_ms        numeric,     -- their sum: numeric, so that no order of adding shows in the last digit
            last_completed_at timestamptz  not null,
            primary key (session_id)
        ) with (fillfactor = 80);  -- room for the updates of sessions that last

        alter table \(name)_v1 owner to recorder_projector;

        """
    }

    private var applySQL: String {
        """
        -- Which events, and which of their fields. Types may be `noun.*` or `*`. A column has an SQL type (text, uuid, boolean,
        -- smallint, integer, bigint, double precision, numeric, timestamptz, jsonb) and a place in data or metadata. What is
        -- absent is NULL; a value that does not fit its type quarantines its stream, it is never a NULL. A line `reads: …` says of
        -- which types the columns are read; in events of the others they are NULL, whatever those hold.
        --
        -- Workers share the streams between them. Where the streams of several write one row, and more than by adding to it,
        -- the line `shards: 1` leaves all of them to one worker.
        --
        -- handles: turn.completed
        -- column: latency_ms numeric = data.endToEndLatencyMs

        -- Each statement (INSERT, UPDATE, DELETE, MERGE, SELECT, also behind WITH) sees the relation `batch`: one row an event
        -- with position, stream_id, version, event_id, type, occurred_at, recorded_at and the columns declared above. All
        -- statements of a batch and the checkpoint are one transaction; each sees what the one before wrote.
        --
        -- The rows must come out the same however events are cut into batches:
        --   * rows of batch come in any order; within a stream the order is `version`, and only that order may count;
        --   * what a later event needs of an earlier one is kept in a table of this projection, for the earlier one may have
        --     come with another batch; no other projection's table is read;
        --   * no now(), no random(): take times from the batch.
        insert into \(name)_v1 as total (session_id, completed_turns, measured_turns, latency_ms, last_completed_at)
        select
            stream_id,
            count(*),
            count(latency_ms),
            sum(latency_ms),
            max(occurred_at)
        from batch
        group by stream_id
        order by stream_id  -- two workers lock rows in one order
        on conflict (session_id) do update set
            completed_turns = total.completed_turns + excluded.completed_turns,
            measured_turns = total.measured_turns + excluded.measured_turns,
            -- Not measured is NULL, never 0.
            latency_ms = coalesce(total.latency_ms + excluded.latency_ms, total.latency_ms, excluded.latency_ms),
            last_completed_at = greatest(total.last_completed_at, excluded.last_completed_at);

        """
    }

    private var viewSQL: String {
        """
        -- What people read. The name has no version: when a new one takes over, it replaces the view in the same transaction.
        create or replace view \(name) as
        select
            session_id,
            completed_turns,
            (latency_ms / nullif(measured_turns, 0))::double precision as average_latency_ms,
            last_completed_at
        from \(name)_v1;

        alter view \(name) owner to recorder_projector;
        grant select on \(name) to recorder_analyst;

        """
    }
}
