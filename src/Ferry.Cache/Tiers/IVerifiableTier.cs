namespace Ferry.Cache.Tiers;

/// <summary>A tier that can read and prove all it holds: what <c>ferry cache verify</c> walks.</summary>
public interface IVerifiableTier
{
    /// <summary>Reads every record and proves header, payload checksum, and that it is the record its name says. Slow by nature: it reads all bytes.</summary>
    /// <remarks>
    /// Not guarded and without a deadline of its own; a store that fails throws. Records that come or go meanwhile may or may not be counted, and are
    /// never reported as damaged for that.
    /// </remarks>
    /// <param name="progress">Told after each record; null for nobody.</param>
    Task<TierVerifyReport> VerifyAsync(TierVerifyOptions options, IProgress<TierVerifyProgress>? progress, CancellationToken cancellationToken);
}
