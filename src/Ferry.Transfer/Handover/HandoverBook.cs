namespace Ferry.Transfer.Handover;

/// <summary>The offers of one owner, by request and by lease. Thread-safe.</summary>
internal sealed class HandoverBook(int offerCountMax)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, HandoverOffer> _byRequest = new(StringComparer.Ordinal);
    private readonly Dictionary<ulong, HandoverOffer> _byLease = [];

    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _byRequest.Count;
            }
        }
    }

    /// <summary>False when the book is full or has the request already.</summary>
    public bool TryAdd(HandoverOffer offer)
    {
        lock (_gate)
        {
            return _byRequest.Count < offerCountMax && _byRequest.TryAdd(offer.RequestId, offer);
        }
    }

    /// <summary>Enters an offer's leases, which may have ended already; false if it is gone.</summary>
    public bool TryOpen(HandoverOffer offer, Lease[] leases)
    {
        lock (_gate)
        {
            if (!_byRequest.TryGetValue(offer.RequestId, out var found) || found != offer)
            {
                return false;
            }
            offer.Leases = leases;
            foreach (var lease in leases)
            {
                _byLease[lease.Id] = offer;
            }
            return true;
        }
    }

    public HandoverOffer? TryFind(string requestId)
    {
        lock (_gate)
        {
            return _byRequest.GetValueOrDefault(requestId);
        }
    }

    public HandoverOffer? TryFind(ulong leaseId)
    {
        lock (_gate)
        {
            return _byLease.GetValueOrDefault(leaseId);
        }
    }

    public void Remove(HandoverOffer offer)
    {
        lock (_gate)
        {
            if (_byRequest.GetValueOrDefault(offer.RequestId) == offer)
            {
                _byRequest.Remove(offer.RequestId);
            }
            foreach (var lease in offer.Leases)
            {
                _byLease.Remove(lease.Id);
            }
        }
    }
}
