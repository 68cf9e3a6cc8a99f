using static Ferry.Router.Configuration.SettingValue;

namespace Ferry.Router.Configuration;

internal static class PrefixSettings
{
    public static IReadOnlyList<RouterSetting> All { get; } =
    [
        new RouterSettingOf<long>("prefix.indexBytes", "--prefix-index-bytes", "Memory of the prefix index: a hard bound.", false,
            o => o.IndexBytes, (o, v) => o with { IndexBytes = v }, Bytes(64 << 10, 1L << 38)),
        new RouterSettingOf<int>("prefix.maxNodes", "--prefix-max-nodes", "Nodes that the index tells apart; further ones are chosen without it.", false,
            o => o.IndexNodes, (o, v) => o with { IndexNodes = v }, Integer(1, 1024)),
        new RouterSettingOf<int>("prefix.textBlockBytes", "--prefix-text-block-bytes", "Text prompts are hashed in pieces of this length.", false,
            o => o.TextBlockBytes, (o, v) => o with { TextBlockBytes = v }, Integer(16, 65_536)),
        new RouterSettingOf<int>("prefix.blockTokens", "--prefix-block-tokens", "Prompts of token ids are hashed in pieces of this length; a node's KV events name its own.", false,
            o => o.BlockTokens, (o, v) => o with { BlockTokens = v }, Integer(1, 4096)),
        new RouterSettingOf<TimeSpan>("prefix.historyLifetime", "--prefix-history-lifetime", "How long a node without KV events is believed to keep what it computed.", true,
            o => o.HistoryLifetime, (o, v) => o with { HistoryLifetime = v }, Time(1, 86_400)),
        new RouterSettingOf<TimeSpan>("prefix.predictionLifetime", "--prefix-prediction-lifetime", "How long a node with KV events is believed to be computing what was sent there.", true,
            o => o.PredictionLifetime, (o, v) => o with { PredictionLifetime = v }, Time(0, 3600)),
        new RouterSettingOf<int>("prefix.eventsPort", "--kv-events-port", "Port of vLLM's KV events (ZMQ) at every node; 0: only nodes with kvEvents have them.", false,
            o => o.EventsPort, (o, v) => o with { EventsPort = v }, Integer(0, 65_535)),
        new RouterSettingOf<int>("prefix.replayPort", "--kv-replay-port", "Port at which every node replays missed KV events; 0: only nodes with kvReplay do.", false,
            o => o.ReplayPort, (o, v) => o with { ReplayPort = v }, Integer(0, 65_535)),
        new RouterSettingOf<string>("prefix.eventsTopic", "--kv-events-topic", "Topic of the KV events; empty: all.", false,
            o => o.EventsTopic, (o, v) => o with { EventsTopic = v }, Text("TOPIC", "at most 256 characters", text => text.Length <= 256)),
        new RouterSettingOf<string>("prefix.redis", "--redis", "host:port of the Redis through which routers share their index; empty: each has its own.", false,
            o => o.Redis, (o, v) => o with { Redis = v }, Text("HOST:PORT", "host:port", IsHostAndPort)),
        new RouterSettingOf<string>("prefix.redisKey", "--redis-key", "Name of the stream in that Redis; routers of one fleet use the same.", false,
            o => o.RedisKey, (o, v) => o with { RedisKey = v }, Text("NAME", "1 to 256 characters", text => text.Length is > 0 and <= 256)),
        new RouterSettingOf<string>("prefix.redisPasswordFile", "--redis-password-file", "File that holds the password of that Redis.", false,
            o => o.RedisPasswordFile, (o, v) => o with { RedisPasswordFile = v }, Text("FILE", "a path")),
    ];

    /// <summary>Empty, or host:port.</summary>
    internal static bool IsHostAndPort(string text)
    {
        var colon = text.LastIndexOf(':');
        return text.Length == 0 || (colon > 0 && int.TryParse(text.AsSpan(colon + 1), out var port) && port is > 0 and < 65_536);
    }
}
