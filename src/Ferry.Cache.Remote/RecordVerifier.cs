using System.Buffers;
using Ferry.Cache.Tiers;

namespace Ferry.Cache.Remote;

/// <summary>Reads and proves all records of a shared store, a bounded number at a time.</summary>
internal static class RecordVerifier
{
    /// <param name="read">Fills the memory with the record at that location; false when it is gone or has another length.</param>
    /// <param name="drop">Deletes a damaged record.</param>
    /// <exception cref="ArgumentException">The options do not validate; the message lists why.</exception>
    public static async Task<TierVerifyReport> VerifyAsync(
        IAsyncEnumerable<TierListing> records, Func<TierListing, Memory<byte>, CancellationToken, Task<bool>> read,
        Func<TierListing, CancellationToken, Task> drop, TierVerifyOptions options, IProgress<TierVerifyProgress>? progress, CancellationToken cancellationToken)
    {
        if (options.Validate() is { Count: > 0 } errors)
        {
            throw new ArgumentException(string.Join(Environment.NewLine, errors), nameof(options));
        }
        var (count, bytes, damaged) = (0L, 0L, 0L);
        var named = new List<DamagedRecord>();
        var atOnce = new ParallelOptions { MaxDegreeOfParallelism = options.Parallelism, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(records, atOnce, async (record, token) =>
        {
            var (isThere, reason) = await ProveAsync(record, read, token);
            if (!isThere)
            {
                return;
            }
            lock (named)
            {
                count++;
                bytes += record.RecordBytes;
                damaged += reason is null ? 0 : 1;
                if (reason is not null && named.Count < options.DamagedNamedMax)
                {
                    named.Add(new DamagedRecord(record.Location, reason));
                }
                progress?.Report(new TierVerifyProgress(count, bytes, damaged, null));
            }
            if (reason is not null && options.DropDamaged)
            {
                await drop(record, token);
            }
        });
        return new TierVerifyReport(count, bytes, damaged, named);
    }

    private static async Task<(bool IsThere, string? Reason)> ProveAsync(
        TierListing record, Func<TierListing, Memory<byte>, CancellationToken, Task<bool>> read, CancellationToken cancellationToken)
    {
        if (record.RecordBytes is < 1 or > int.MaxValue / 2)
        {
            return (true, $"no record has {record.RecordBytes} bytes");
        }
        var buffer = ArrayPool<byte>.Shared.Rent((int)record.RecordBytes);
        try
        {
            var bytes = buffer.AsMemory(0, (int)record.RecordBytes);
            return await read(record, bytes, cancellationToken) ? (true, RecordProof.FindError(bytes.Span, record.Location, out _)) : (false, null);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
