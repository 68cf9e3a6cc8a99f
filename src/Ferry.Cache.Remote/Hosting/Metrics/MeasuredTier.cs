using System.Net.Http;
using Ferry.Cache.Tiers;
using Ferry.Kv.Keys;
using Ferry.Kv.Records;

namespace Ferry.Cache.Remote.Hosting.Metrics;

/// <summary>A tier whose operations are timed and whose failures are counted by reason. Owns the tier.</summary>
internal sealed class MeasuredTier(IKvTier tier, TierMetrics metrics, TimeProvider clock) : IKvTier, IVerifiableTier
{
    public string Name => tier.Name;

    public string Kind => tier.Kind;

    public TierCapabilities Capabilities => tier.Capabilities;

    public TierCounts Counts => tier.Counts;

    public bool IsVerifiable => tier is IVerifiableTier;

    public Task<IReadOnlyList<TierRecord>> FindAsync(KvKey key, CancellationToken cancellationToken) =>
        MeasureAsync("find", () => tier.FindAsync(key, cancellationToken), static _ => null, cancellationToken);

    public Task<IReadOnlyList<IReadOnlyList<TierRecord>>> FindManyAsync(IReadOnlyList<KvKey> keys, CancellationToken cancellationToken) =>
        MeasureAsync("find", () => tier.FindManyAsync(keys, cancellationToken), static _ => null, cancellationToken);

    public Task<TierRead> ReadAsync(TierRecord record, Memory<byte> destination, CancellationToken cancellationToken) =>
        MeasureAsync("read", () => tier.ReadAsync(record, destination, cancellationToken), static read => read.Outcome switch
        {
            TierReadOutcome.Damaged => "damaged",
            TierReadOutcome.Unavailable => "unavailable",
            _ => null,
        }, cancellationToken);

    public Task<TierPutOutcome> PutAsync(KvRecordHeader header, ReadOnlyMemory<byte> record, CancellationToken cancellationToken) =>
        MeasureAsync("put", () => tier.PutAsync(header, record, cancellationToken), static outcome => outcome switch
        {
            TierPutOutcome.Full => "full",
            TierPutOutcome.ReadOnly => "read_only",
            TierPutOutcome.Unavailable => "unavailable",
            _ => null,
        }, cancellationToken);

    public Task<int> DeleteAsync(KvKey key, CancellationToken cancellationToken) =>
        MeasureAsync("delete", () => tier.DeleteAsync(key, cancellationToken), static _ => null, cancellationToken);

    public Task<long> ClearAsync(string? salt, CancellationToken cancellationToken) => tier.ClearAsync(salt, cancellationToken);

    public IAsyncEnumerable<TierListing> ListAsync(CancellationToken cancellationToken) => tier.ListAsync(cancellationToken);

    public Task<TierUsage> MeasureAsync(CancellationToken cancellationToken) => tier.MeasureAsync(cancellationToken);

    public Task<TierVerifyReport> VerifyAsync(TierVerifyOptions options, IProgress<TierVerifyProgress>? progress, CancellationToken cancellationToken) =>
        tier is IVerifiableTier verifiable ? verifiable.VerifyAsync(options, progress, cancellationToken) : throw new NotSupportedException($"{Name} cannot be verified.");

    public ValueTask DisposeAsync() => tier.DisposeAsync();

    private async Task<T> MeasureAsync<T>(string operation, Func<Task<T>> run, Func<T, string?> failureOf, CancellationToken cancellationToken)
    {
        var begun = clock.GetTimestamp();
        try
        {
            var result = await run();
            if (failureOf(result) is { } reason)
            {
                metrics.Failures.With(tier.Kind, operation, reason).Add();
            }
            return result;
        }
        catch (Exception exception)
        {
            metrics.Failures.With(tier.Kind, operation, ReasonOf(exception, cancellationToken)).Add();
            throw;
        }
        finally
        {
            metrics.Seconds.With(tier.Kind, operation).Observe(clock.GetElapsedTime(begun).TotalSeconds);
        }
    }

    /// <summary>A deadline and a client that has gone both cancel; a tier's own time-out says so itself.</summary>
    private static string ReasonOf(Exception exception, CancellationToken cancellationToken) => exception switch
    {
        OperationCanceledException when cancellationToken.IsCancellationRequested => "cancelled",
        OperationCanceledException or TimeoutException => "timeout",
        HttpRequestException or System.Net.Sockets.SocketException => "connection",
        UnauthorizedAccessException => "access",
        IOException => "io",
        _ => "other",
    };
}
