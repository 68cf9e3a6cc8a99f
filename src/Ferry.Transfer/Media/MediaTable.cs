using System.Collections.Concurrent;
using System.Text;
using Ferry.Transfer.OneSided;
using Ferry.Transfer.SideChannel;

namespace Ferry.Transfer.Media;

/// <summary>The media of one agent beside TCP, in order of preference, and what each told of every region.</summary>
internal sealed class MediaTable : IAsyncDisposable
{
    private readonly IReadOnlyList<DataMedium> _media;
    private readonly RegionTable _regions;
    private readonly ConcurrentDictionary<(string Medium, uint RegionId), byte[]> _keys = new();

    public MediaTable(IReadOnlyList<DataMedium> media, RegionTable regions)
    {
        _media = media;
        _regions = regions;
        regions.Added += Add;
        regions.Removed += Remove;
    }

    public int NativeHandles => _media.Sum(medium => medium.NativeHandles);

    /// <summary>What the handshake tells of them.</summary>
    public IEnumerable<MediumAddress> Describe(AgentIdentity own)
    {
        foreach (var medium in _media)
        {
            if (medium.Describe(own) is { } address)
            {
                yield return new MediumAddress(medium.Name, address);
            }
        }
    }

    /// <summary>How a peer reaches an own region by a medium, or null.</summary>
    public RegionInfo? TryDescribe(string medium, uint regionId) =>
        _keys.TryGetValue((medium, regionId), out var key) && _regions.TryFind(regionId, out var region)
            ? new RegionInfo(regionId, (ulong)region.Address, region.Bytes, key)
            : null;

    /// <summary>The same for a region that the caller holds.</summary>
    public RegionInfo? TryDescribe(string medium, MemoryRegion region) =>
        _keys.TryGetValue((medium, region.Id), out var key) ? new RegionInfo(region.Id, (ulong)region.Address, region.Bytes, key) : null;

    /// <summary>Opens the first medium that reaches the peer. Null and the reasons of all if none does.</summary>
    public async Task<(string? Name, MediumOpening Opening)> OpenAsync(PeerMetadata peer, CancellationToken cancellationToken)
    {
        var reasons = new StringBuilder();
        foreach (var medium in _media)
        {
            var address = peer.Media.FirstOrDefault(one => one.Medium == medium.Name);
            var opening = address is null
                ? new MediumOpening(null, "the peer does not offer it")
                : await medium.OpenAsync(peer.Identity, address.Address, cancellationToken);
            if (opening.Memory is not null)
            {
                return (medium.Name, opening);
            }
            reasons.Append(reasons.Length == 0 ? "" : "; ").Append(medium.Name).Append(": ").Append(opening.Reason);
        }
        return (null, new MediumOpening(null, reasons.ToString()));
    }

    /// <summary>Whether a medium of both wants to be opened by the owner as well.</summary>
    public bool OpensBothWays(PeerMetadata peer) => _media.Any(medium => medium.OpensBothWays && peer.Media.Any(one => one.Medium == medium.Name));

    /// <summary>The one medium of a name, opened towards a peer that writes from its memory by it; null if this agent has no such.</summary>
    public DataMedium? TryFind(string name) => _media.FirstOrDefault(medium => medium.Name == name);

    public async ValueTask DisposeAsync()
    {
        _regions.Added -= Add;
        _regions.Removed -= Remove;
        foreach (var medium in _media)
        {
            await medium.DisposeAsync();
        }
    }

    private void Add(MemoryRegion region)
    {
        foreach (var medium in _media)
        {
            if (medium.AddRegion(region) is { } key)
            {
                _keys[(medium.Name, region.Id)] = key;
            }
        }
    }

    private void Remove(MemoryRegion region)
    {
        foreach (var medium in _media)
        {
            if (_keys.TryRemove((medium.Name, region.Id), out _))
            {
                medium.RemoveRegion(region);
            }
        }
    }
}
