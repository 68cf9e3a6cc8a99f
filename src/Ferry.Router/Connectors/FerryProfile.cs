using Ferry.Router.Bodies;

namespace Ferry.Router.Connectors;

/// <summary>Ferry's exchange: NIXL's parameters and a lease under "ferry"; the decode node finds chunks by their hash and reads under the lease.</summary>
internal sealed class FerryProfile : IConnectorProfile
{
    private static readonly byte[][] Required = ["remote_engine_id"u8.ToArray(), "remote_host"u8.ToArray(), "remote_port"u8.ToArray(), "ferry"u8.ToArray()];

    public string Name => "ferry";

    public ReadOnlyMemory<byte> Wish => NixlWish.Bytes;

    public bool NeedsParams => true;

    public string? WhyUnusable(JsonBody parameters, NodeVersion? prefillVersion) => NixlWish.FirstMissing(parameters, Required);
}
