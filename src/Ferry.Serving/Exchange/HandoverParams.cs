using System.Globalization;
using System.Text.Json.Nodes;
using Ferry.Serving.Exchange.Push;
using Ferry.Serving.Options;

namespace Ferry.Serving.Exchange;

/// <summary>vLLM's <c>kv_transfer_params</c>, as a prefill node answers them and a decode node reads them.</summary>
/// <param name="EngineId"><c>remote_engine_id</c>.</param>
/// <param name="RequestId"><c>remote_request_id</c>.</param>
/// <param name="Host"><c>remote_host</c>.</param>
/// <param name="Port"><c>remote_port</c>: the side channel.</param>
/// <param name="LeaseId">The request lease; knowing it is the right to read.</param>
/// <param name="Generation">The lender's run: a restarted lender has another and holds nothing.</param>
internal sealed record HandoverParams(string EngineId, string RequestId, string Host, int Port, string LeaseId, ulong Generation)
{
    private const string FerryKey = "ferry";
    private const int TextMax = 1024; // Longer than any id or host name; what a client sends is not echoed without bound.

    /// <summary>How the lender hands over. Whatever it is, all of it can be pulled.</summary>
    public HandoverMode Mode { get; init; } = HandoverMode.Pull;

    /// <summary>Whether the lender wants to know what the hand-over took.</summary>
    public bool IsMeasured { get; init; }

    public string Endpoint => EndpointOf(Host, Port);

    public static string EndpointOf(string host, int port) => host.Contains(':', StringComparison.Ordinal) ? $"[{host}]:{port}" : $"{host}:{port}";

    /// <summary>The decode node that a router named to this prefill node; null for none. Never throws.</summary>
    public static DecodeTarget? TryReadTarget(JsonObject? parameters) =>
        parameters?[FerryKey] is JsonObject own && own["decode"] is JsonObject decode
        && Text(decode, "engine_id") is { } engineId && Text(decode, "host") is { } host && PortOf(decode, "port") is > 0 and var port
            ? new DecodeTarget(engineId, host, port)
            : null;

    /// <summary>Whether a request's parameters ask this node to lend what it computes.</summary>
    public static bool AsksToLend(JsonObject? parameters) => IsTrue(parameters, "do_remote_decode");

    /// <summary>Whether a request's parameters ask this node to fetch.</summary>
    public static bool AsksToFetch(JsonObject? parameters) => IsTrue(parameters, "do_remote_prefill");

    /// <summary>The answer of a prefill node, in vLLM's shape.</summary>
    /// <param name="blockIds">The engine's own blocks, as vLLM reports them; Ferry finds chunks by key and does not need them.</param>
    public JsonObject ToJson(IReadOnlyList<int> blockIds, int tensorParallelSize, int tokenCount, DateTimeOffset expiresAt) => new()
    {
        ["do_remote_prefill"] = true,
        ["do_remote_decode"] = false,
        ["remote_block_ids"] = new JsonArray(new JsonArray([.. blockIds.Select(block => JsonValue.Create(block))])),
        ["remote_engine_id"] = EngineId,
        ["remote_request_id"] = RequestId,
        ["remote_host"] = Host,
        ["remote_port"] = Port,
        ["tp_size"] = tensorParallelSize,
        ["remote_num_tokens"] = tokenCount,
        ["remote_blocks_expiry_time"] = expiresAt.ToUnixTimeMilliseconds() / 1000.0,
        ["transfer_mode"] = Mode.Name(),
        [FerryKey] = new JsonObject
        {
            ["lease_id"] = LeaseId,
            ["generation"] = Generation.ToString("x16", CultureInfo.InvariantCulture),
            ["measure"] = IsMeasured,
        },
    };

    /// <summary>Reads what a prefill node answered and a router carried. Never throws.</summary>
    /// <returns>Null with the reason when it cannot be used.</returns>
    public static HandoverParams? TryRead(JsonObject parameters, out string reason)
    {
        reason = string.Empty;
        var (engineId, requestId, host) = (Text(parameters, "remote_engine_id"), Text(parameters, "remote_request_id"), Text(parameters, "remote_host"));
        var port = PortOf(parameters, "remote_port");
        var missing = new List<string>();
        Require(engineId is not null, "remote_engine_id");
        Require(host is not null, "remote_host");
        Require(port >= 0, "remote_port");
        if (missing.Count > 0)
        {
            reason = $"kv_transfer_params lack a usable {string.Join(", ", missing)}";
            return null;
        }
        if (parameters[FerryKey] is not JsonObject own || Text(own, "lease_id") is not { } leaseId
            || !ulong.TryParse(Text(own, "generation"), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var generation))
        {
            reason = "kv_transfer_params carry no lease of a Ferry exchange: the prefill node is another system, or the router dropped the key \"ferry\"";
            return null;
        }
        return new HandoverParams(engineId!, requestId ?? string.Empty, host!, port, leaseId, generation)
        {
            Mode = HandoverModes.TryParse(Text(parameters, "transfer_mode")) is { } mode and not HandoverMode.Auto ? mode : HandoverMode.Pull,
            IsMeasured = IsTrue(own, "measure"),
        };

        void Require(bool holds, string name)
        {
            if (!holds)
            {
                missing.Add(name);
            }
        }
    }

    private static bool IsTrue(JsonObject? parameters, string name) =>
        parameters?[name] is JsonValue value && value.TryGetValue<bool>(out var flag) && flag;

    /// <summary>-1: none.</summary>
    private static int PortOf(JsonObject parameters, string name) =>
        parameters[name] is JsonValue value && value.TryGetValue<int>(out var port) && port is >= 0 and <= 65_535 ? port : -1;

    private static string? Text(JsonObject parameters, string name) =>
        parameters[name] is JsonValue value && value.TryGetValue<string>(out var text) && text.Length is > 0 and <= TextMax ? text : null;
}
