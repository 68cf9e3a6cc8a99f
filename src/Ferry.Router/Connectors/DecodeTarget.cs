using System.Text.Json;
using Ferry.Router.Bodies;

namespace Ferry.Router.Connectors;

/// <summary>Where a Ferry decode node takes pushes, as the node itself says (<c>GET /ferry/handover</c>). A client's word about it is never asked for.</summary>
/// <param name="Host">Of its side channel.</param>
internal sealed record DecodeTarget(string EngineId, string Host, int Port)
{
    private static readonly byte[] FerryName = "\"ferry\":"u8.ToArray();

    /// <summary>Null: the answer names no place.</summary>
    /// <param name="node">Whose host takes the place of one that cannot be dialled.</param>
    public static DecodeTarget? TryRead(JsonBody answer, Uri node) =>
        answer.Text("engine_id"u8) is { Length: > 0 } engineId && answer.Text("host"u8) is { } host && answer.Integer("port"u8) is > 0 and <= 65_535 and var port
            ? new DecodeTarget(engineId, host is "" or "0.0.0.0" or "::" or "[::]" or "*" ? node.IdnHost : host, (int)port)
            : null;

    /// <summary>The wish of the first leg, and in it where the KV is meant to go: the prefill node may push it there while it computes.</summary>
    public ReadOnlyMemory<byte> AddTo(ReadOnlyMemory<byte> wish)
    {
        using var bytes = new MemoryStream(256);
        using (var writer = new Utf8JsonWriter(bytes))
        {
            writer.WriteStartObject();
            writer.WriteStartObject("decode");
            writer.WriteString("engine_id", EngineId);
            writer.WriteString("host", Host);
            writer.WriteNumber("port", Port);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }
        return new JsonEdit(JsonBody.Parse(wish)).Set(FerryName, bytes.ToArray()).Build().ToArray();
    }
}
