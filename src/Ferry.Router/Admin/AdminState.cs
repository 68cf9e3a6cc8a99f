using System.Buffers;
using System.Text.Json;
using Ferry.Router.Metrics;

namespace Ferry.Router.Admin;

/// <summary>The JSON of the admin server.</summary>
internal static class AdminState
{
    public static byte[] Write(RouterRuntime router) => Json(json =>
    {
        var model = router.Nodes.Current;
        json.WriteStartObject();
        json.WriteNumber("version", model.Version);
        json.WriteNumber("uptime_seconds", router.Time.Milliseconds / 1000.0);
        json.WriteString("policy", model.Options.Policy);
        json.WriteString("decode_policy", model.Options.DecodePolicy.Length > 0 ? model.Options.DecodePolicy : model.Options.Policy);
        json.WriteStartArray("reload_errors");
        foreach (var error in router.ReloadErrors) { json.WriteStringValue(error); }
        json.WriteEndArray();
        json.WriteStartArray("nodes");
        foreach (var node in model.Nodes) { WriteNode(json, router, node); }
        json.WriteEndArray();
        WritePairs(json, router);
        WriteAdmission(json, router);
        WriteIndex(json, router);
        json.WriteEndObject();
    });

    public static byte[] WriteNodes(RouterRuntime router, IEnumerable<Node> nodes) => Json(json =>
    {
        json.WriteStartObject();
        json.WriteStartArray("nodes");
        foreach (var node in nodes) { WriteNode(json, router, node); }
        json.WriteEndArray();
        json.WriteEndObject();
    });

    public static byte[] WriteReload(IReadOnlyList<string> errors) => Json(json =>
    {
        json.WriteStartObject();
        json.WriteBoolean("taken", errors.Count == 0);
        json.WriteStartArray("errors");
        foreach (var error in errors) { json.WriteStringValue(error); }
        json.WriteEndArray();
        json.WriteEndObject();
    });

    public static byte[] WriteError(string message) => Json(json =>
    {
        json.WriteStartObject();
        json.WriteString("error", message);
        json.WriteEndObject();
    });

    private static void WriteNode(Utf8JsonWriter json, RouterRuntime router, Node node)
    {
        var now = router.Time.Milliseconds;
        json.WriteStartObject();
        json.WriteString("id", node.Name);
        json.WriteString("role", RouterMetrics.NameOf(node.Role));
        json.WriteString("url", node.Address.ToString());
        json.WriteString("state", StateOf(node, now));
        json.WriteBoolean("is_empty", node.IsEmpty(now));
        json.WriteNumber("running", node.Running);
        json.WriteNumber("queued_tokens", node.QueuedTokens);
        json.WriteNumber("leases", node.Leases);
        json.WriteNumber("reported_requests", node.Health.ReportedRequests);
        json.WriteNumber("kv_usage", node.Health.KvUsage);
        json.WriteNumber("weight", node.Spec.Weight);
        json.WriteNumber("ramp", node.Health.Ramp(now, router.Options.SlowStart));
        json.WriteNumber("error_rate", Math.Round(node.Health.ErrorRate, 4));
        json.WriteString("probe_error", node.Health.ProbeError);
        json.WriteNumber("tokens_per_second", Math.Round(node.TokensPerSecond, 1));
        json.WriteBoolean("kv_events", node.HasEvents);
        json.WriteNumber("block_tokens", node.BlockTokens);
        json.WriteEndObject();
    }

    /// <summary>up, down (its probes fail), ejected (its legs fail), draining (an operator said so), leaving (discovery said so).</summary>
    private static string StateOf(Node node, long now) =>
        node.IsDraining ? "draining" : node.Spec.IsLeaving ? "leaving" : !node.Health.IsUp ? "down" : node.Health.IsEjected(now) ? "ejected" : "up";

    private static void WritePairs(Utf8JsonWriter json, RouterRuntime router)
    {
        json.WriteStartArray("pairs");
        foreach (var (prefill, decode, state) in router.Pairs.All)
        {
            json.WriteStartObject();
            json.WriteString("prefill", prefill.Name);
            json.WriteString("decode", decode.Name);
            json.WriteBoolean("is_usable", state.IsUsable(router.Time.Milliseconds));
            json.WriteNumber("bytes_per_second", Math.Round(state.BytesPerSecond));
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteAdmission(Utf8JsonWriter json, RouterRuntime router)
    {
        json.WriteStartObject("admission");
        json.WriteNumber("in_flight", router.Admission.InFlight);
        json.WriteNumber("waiting", router.Admission.Waiting);
        json.WriteStartArray("tenants");
        foreach (var tenant in router.Keys.Tenants)
        {
            json.WriteStartObject();
            json.WriteString("name", tenant.Name);
            json.WriteNumber("in_flight", tenant.Limits?.InFlight ?? 0);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteIndex(Utf8JsonWriter json, RouterRuntime router)
    {
        if (router.Knowledge.IndexIfMade is not { } index) { return; }
        json.WriteStartObject("prefix_index");
        json.WriteNumber("bytes", index.Bytes);
        json.WriteNumber("capacity_blocks", index.Capacity);
        json.WriteNumber("blocks", index.Count());
        json.WriteNumber("evictions", index.Evictions);
        json.WriteEndObject();
    }

    private static byte[] Json(Action<Utf8JsonWriter> write)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes)) { write(json); }
        return bytes.WrittenSpan.ToArray();
    }
}
