using Ferry.Cache.Tiers;

namespace Ferry.Cache.Remote;

/// <summary>What <see cref="SharedCapacity"/> asks of a store.</summary>
internal interface ICappedStore
{
    string Name { get; }

    IAsyncEnumerable<TierListing> ListAsync(CancellationToken cancellationToken);

    /// <summary>Deletes records, which may be gone already.</summary>
    /// <returns>How many went, and their bytes.</returns>
    Task<(int Records, long Bytes)> DeleteAsync(IReadOnlyList<TierListing> records, CancellationToken cancellationToken);
}
