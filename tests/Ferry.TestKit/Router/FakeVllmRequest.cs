using System.Text.Json.Nodes;

namespace Ferry.TestKit.Router;

/// <summary>What a fake pod was asked.</summary>
public sealed record FakeVllmRequest(string Path, IReadOnlyDictionary<string, string> Headers, JsonObject Body);
