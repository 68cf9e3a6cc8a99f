using System.Globalization;
using System.Text.Json.Nodes;
using Ferry.Cache.Tiers;
using Ferry.Cache.Tiers.Disk;
using Ferry.Kv.Text;

namespace Ferry.Cache.Remote.Hosting;

/// <summary>What an exchange is and holds: as JSON for /state, and in words for the start.</summary>
internal static class ExchangeState
{
    public static JsonObject ToJson(ExchangeHost exchange, TimeProvider clock)
    {
        var memory = exchange.Cache.Memory.Snapshot();
        var options = exchange.Options;
        return new JsonObject
        {
            ["version"] = typeof(ExchangeState).Assembly.GetName().Version?.ToString(3),
            ["started_at"] = exchange.StartedAt.ToString("O", CultureInfo.InvariantCulture),
            ["uptime_seconds"] = Math.Round((clock.GetUtcNow() - exchange.StartedAt).TotalSeconds, 1),
            ["fronts"] = new JsonObject
            {
                ["resp"] = exchange.Resp?.ToString(),
                ["lm"] = exchange.Lm?.ToString(),
                ["admin"] = exchange.Admin?.ToString(),
                ["connections"] = exchange.Fronts.Sum(front => front.ConnectionCount),
            },
            ["memory"] = new JsonObject
            {
                ["capacity_bytes"] = memory.CapacityBytes,
                ["used_bytes"] = memory.UsedBytes,
                ["held_bytes"] = memory.HeldBytes,
                ["records"] = memory.Records,
                ["chunks"] = memory.Chunks,
                ["hits"] = memory.Hits,
                ["misses"] = memory.Misses,
                ["evictions"] = memory.Evictions,
                ["pinned_chunks"] = memory.PinnedChunks,
                ["damaged"] = memory.Damaged,
                ["policy"] = options.Policy,
                ["huge_pages"] = exchange.Cache.Memory.Arena.HugePages.ToString(),
            },
            ["tiers"] = new JsonArray([.. exchange.Cache.SnapshotTiers().Select(tier => (JsonNode)ToJson(tier, exchange.Usage.Latest))]),
            ["disk"] = exchange.Disk is { } disk ? ToJson(disk) : null,
            ["models"] = new JsonArray([.. options.Models.Cards.Select(card => (JsonNode)card.Name)]),
            ["quotas"] = new JsonArray([.. exchange.Cache.Memory.Quotas.All.Select(quota => (JsonNode)new JsonObject { ["salt"] = quota.Salt, ["bytes"] = quota.Bytes, ["quota_bytes"] = quota.QuotaBytes })]),
            ["convert"] = options.Clients.Convert.ToString().ToLowerInvariant(),
            ["chunk_tokens"] = options.ChunkTokens,
        };
    }

    /// <summary>Tiers that are left alone now, in words; empty when all is well.</summary>
    public static IReadOnlyList<string> Degraded(ExchangeHost exchange) =>
    [
        .. exchange.Cache.SnapshotTiers().SelectMany(tier => ((bool Off, string Direction)[])[(tier.IsReadingOff, "reading"), (tier.IsWritingOff, "writing")],
            (tier, part) => (tier, part)).Where(row => row.part.Off).Select(row => $"{row.tier.Name} is off for {row.part.Direction}"),
    ];

    /// <summary>One line a part, for people.</summary>
    public static IReadOnlyList<(string Part, string Text)> Describe(ExchangeHost exchange)
    {
        var options = exchange.Options;
        var lines = new List<(string, string)>
        {
            ("resp", exchange.Resp is null ? "off" : $"{exchange.Resp}, {options.Security}"),
            ("lm", exchange.Lm?.ToString() ?? "off"),
            ("admin", exchange.Admin is null ? "off" : $"http://{exchange.Admin}, {(options.AdminToken is null ? "no token" : "token")}"),
            ("memory", $"{ByteSize.Format(exchange.Cache.Memory.Arena.CapacityBytes)}, {options.Policy}, huge pages: {exchange.Cache.Memory.Arena.HugePages}"),
        };
        foreach (var tier in exchange.Cache.Tiers)
        {
            lines.Add((tier.Kind, DescribeTier(tier, exchange)));
        }
        if (exchange.Cache.Tiers.Count == 0)
        {
            lines.Add(("tiers", "none below memory: what is evicted is gone, and so is everything at a restart"));
        }
        lines.Add(("models", options.Models.Cards.Count == 0
            ? "no cards: records are served as they were stored, never converted (--models)"
            : $"{options.Models.Cards.Count} cards ({string.Join(", ", options.Models.Cards.Take(3).Select(card => card.Name))}{(options.Models.Cards.Count > 3 ? ", …" : "")}); conversion {options.Clients.Convert.ToString().ToLowerInvariant()}"));
        return lines;
    }

    private static string DescribeTier(GuardedTier tier, ExchangeHost exchange)
    {
        if (tier.Capabilities.HasFlag(TierCapabilities.OfPeer))
        {
            return $"{tier.Name}, {(exchange.Options.Security.Password is null ? "no password" : "password")}{(exchange.Options.Peers.Any(peer => peer.AuthorityFile is not null) ? ", TLS" : "")}; read from, before any shared tier";
        }
        if (tier.Kind != "disk" || exchange.Disk is not { } disk)
        {
            return $"{exchange.Options.Remote?.Shown ?? tier.Name}, {(exchange.Options.Remote?.Options.CapacityBytes is { } bytes ? ByteSize.Format(bytes) : "no limit of its own")}";
        }
        return $"{exchange.Options.Disk!.Path}, {ByteSize.Format(disk.CapacityBytes)}, direct I/O: {disk.DirectIo}, sync: {exchange.Options.Disk.Sync}, " +
            $"{disk.Records} records ({ByteSize.Format(disk.RecordBytes)}) found{(disk.Dropped > 0 ? $", {disk.Dropped} torn or damaged dropped" : "")}";
    }

    private static JsonObject ToJson(DiskTierStats disk) => new()
    {
        ["capacity_bytes"] = disk.CapacityBytes,
        ["allocated_bytes"] = disk.AllocatedBytes,
        ["records"] = disk.Records,
        ["record_bytes"] = disk.RecordBytes,
        ["segments"] = disk.Segments,
        ["moved_bytes"] = disk.MovedBytes,
        ["dropped"] = disk.Dropped,
        ["direct_io"] = disk.DirectIo.ToString(),
        ["writes_off"] = disk.WritesOff,
    };

    private static JsonObject ToJson(TierStats tier, IReadOnlyDictionary<string, TierUsage> usage) => new()
    {
        ["name"] = tier.Name,
        ["kind"] = tier.Kind,
        ["bytes"] = usage.TryGetValue(tier.Name, out var measured) ? measured.Bytes : null,
        ["reading"] = tier.IsReadingOff ? "off" : "on",
        ["writing"] = tier.IsWritingOff ? "off" : "on",
        ["reads"] = tier.Counts.Reads,
        ["read_bytes"] = tier.Counts.ReadBytes,
        ["misses"] = tier.Counts.Misses,
        ["writes"] = tier.Counts.Puts,
        ["written_bytes"] = tier.Counts.PutBytes,
        ["evictions"] = tier.Counts.Evictions,
        ["damaged"] = tier.Counts.Damaged,
        ["refused"] = tier.Counts.Refused,
        ["failures"] = tier.Failures,
        ["timeouts"] = tier.Timeouts,
        ["queued_bytes"] = tier.QueuedBytes,
        ["write_dropped"] = tier.WriteDropped,
        ["write_failed"] = tier.WriteFailed,
    };
}
