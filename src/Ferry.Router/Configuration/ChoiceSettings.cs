using Ferry.Router.Policies;
using static Ferry.Router.Configuration.SettingValue;

namespace Ferry.Router.Configuration;

internal static class ChoiceSettings
{
    public static IReadOnlyList<RouterSetting> All { get; } =
    [
        new RouterSettingOf<string>("policy", "--policy", $"How a node is chosen: {string.Join(", ", NodePolicies.Names)}.", true, o => o.Policy, (o, v) => o with { Policy = v }, OneOf("NAME", () => NodePolicies.Names)),
        new RouterSettingOf<string>("decodePolicy", "--decode-policy", "How a decode node is chosen; empty: as policy.", true,
            o => o.DecodePolicy, (o, v) => o with { DecodePolicy = v }, OneOf("NAME", () => NodePolicies.Names.Append(""))),
        new RouterSettingOf<int>("disaggregation.minPromptTokens", "--min-prefill-tokens",
            "A prompt that leaves the decode node fewer tokens than this to compute skips the prefill leg; 0: none does.", true,
            o => o.MinPrefillTokens, (o, v) => o with { MinPrefillTokens = v }, Integer(0, 1 << 24)),
        new RouterSettingOf<double>("disaggregation.maxDecodeHit", "--max-decode-hit",
            "A prompt of which the decode node is believed to hold this share or more skips the prefill leg.", true,
            o => o.MaxDecodeHit, (o, v) => o with { MaxDecodeHit = v }, Real(0.01, 1)),
        new RouterSettingOf<int>("balance.requestTokens", "--request-tokens", "What a running or waiting leg counts, in tokens, when loads are compared.", true,
            o => o.RequestTokens, (o, v) => o with { RequestTokens = v }, Integer(0, 1 << 20)),
        new RouterSettingOf<double>("balance.loadFactor", "--load-factor", "prefix-aware: tokens of prefix that one token of load outweighs.", true,
            o => o.LoadFactor, (o, v) => o with { LoadFactor = v }, Real(0, 1000)),
        new RouterSettingOf<double>("balance.hostTierWeight", "--host-tier-weight", "What a token in a node's host memory is worth; one in its device memory is worth 1.", true,
            o => o.HostTierWeight, (o, v) => o with { HostTierWeight = v }, Real(0, 1)),
        new RouterSettingOf<double>("balance.storageTierWeight", "--storage-tier-weight", "What a token on a node's disk or object store is worth.", true,
            o => o.StorageTierWeight, (o, v) => o with { StorageTierWeight = v }, Real(0, 1)),
        new RouterSettingOf<long>("cost.kvBytesPerToken", "--kv-bytes-per-token", "cost-based: KV bytes of one token, all layers and ranks (Llama 3.1 70B in bf16: 320KiB).", true,
            o => o.KvBytesPerToken, (o, v) => o with { KvBytesPerToken = v }, Bytes(1, 1L << 30)),
        new RouterSettingOf<long>("cost.linkBytesPerSecond", "--link-bytes-per-second", "cost-based: rate between two nodes, until a pair's transfers were measured.", true,
            o => o.LinkBytesPerSecond, (o, v) => o with { LinkBytesPerSecond = v }, Bytes(1024, 1L << 50)),
        new RouterSettingOf<int>("cost.prefillTokensPerSecond", "--prefill-tokens-per-second", "cost-based: a node's rate, until its legs were measured.", true,
            o => o.PrefillTokensPerSecond, (o, v) => o with { PrefillTokensPerSecond = v }, Integer(1, 1 << 30)),
    ];
}
