using Ferry.Cache.Tiers.Disk.Index;
using Ferry.Cache.Tiers.Disk.Segments;

namespace Ferry.Cache.Tiers.Disk;

/// <summary>All records, some at a time, so that the lock is never held for long. What comes or goes meanwhile may or may not be named.</summary>
internal static class DiskWalk
{
    private const int ChunksALook = 256;

    /// <param name="see">Called under the store's lock.</param>
    public static IEnumerable<List<T>> Records<T>(SegmentStore store, Func<DiskChunk, DiskRecord, T> see)
    {
        for (uint? from = 0; from is { } at;)
        {
            var (chunks, seen) = (new List<DiskChunk>(), new List<T>());
            lock (store.Gate)
            {
                from = store.Index.Walk(at, ChunksALook, chunks);
                foreach (var chunk in chunks)
                {
                    for (var record = chunk.First; record is not null; record = record.Next)
                    {
                        seen.Add(see(chunk, record));
                    }
                }
            }
            yield return seen;
        }
    }
}
