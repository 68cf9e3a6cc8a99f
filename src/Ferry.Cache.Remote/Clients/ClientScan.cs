using System.Diagnostics;
using Ferry.Cache.Records;
using Ferry.Kv.Records;

namespace Ferry.Cache.Remote.Clients;

/// <summary>Lists the keys of clients' records by their headers: there is no index of strings.</summary>
internal static class ClientScan
{
    /// <summary>A chunk has at most <see cref="RecordStore.MaxRecordsPerChunk"/> records of two keys each; a cursor is a chunk's number times this, and the keys of it that were given.</summary>
    private const ulong KeysPerChunkMax = 1024;

    /// <summary>Chunks looked at in one call, however few of them are clients': a call answers soon, perhaps with no key.</summary>
    private const int ChunksMax = 4096;

    public static (IReadOnlyList<byte[]> Keys, ulong Cursor) Run(RecordStore memory, ulong cursor, int keysMax)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(keysMax, 1);
        Debug.Assert(2 * RecordStore.MaxRecordsPerChunk <= (int)KeysPerChunkMax);
        var keys = new List<byte[]>();
        var ofChunk = new List<byte[]>();
        var (chunk, given) = (cursor / KeysPerChunkMax, (int)(cursor % KeysPerChunkMax));
        for (var looked = 0; looked < ChunksMax; looked++)
        {
            var next = chunk;
            ofChunk.Clear();
            foreach (var record in memory.Walk(ref next, 1))
            {
                AddKeys(record.Header, ofChunk);
            }
            // What came or went in this chunk meanwhile moves the others in it; a key that stays behind the mark is given twice rather than never.
            var room = keysMax - keys.Count;
            var rest = Math.Max(0, ofChunk.Count - given);
            keys.AddRange(ofChunk.Skip(given).Take(room));
            if (rest > room)
            {
                return (keys, (chunk * KeysPerChunkMax) + (ulong)(given + room));
            }
            (chunk, given) = (next, 0);
            if (chunk == 0 || keys.Count == keysMax)
            {
                break;
            }
        }
        return (keys, chunk * KeysPerChunkMax);
    }

    private static void AddKeys(KvRecordHeader header, List<byte[]> keys)
    {
        if (header.ClientKey.IsEmpty)
        {
            return; // A record of ferry serve, or of another exchange.
        }
        var key = header.ClientKey.Span;
        if (!header.ClientNote.IsEmpty && ShardKey.TryParse(key) is { IsOfEngine: true })
        {
            keys.Add([.. key, .. ClientKey.ValueSuffix]);
            keys.Add([.. key, .. ClientKey.NoteSuffix]);
        }
        else
        {
            keys.Add(key.ToArray());
        }
    }
}
