using System.Text.Json;
using Ferry.TestKit;

namespace Ferry.UnitTests.Hashing;

/// <summary>Hashes recorded from LMCache and vLLM themselves: tests/data/hashing.</summary>
internal static class HashVectors
{
    /// <summary><c>hash(None)</c> in the recording's CPython 3.11, whose executable is not relocated.</summary>
    public const long RecordedNoneObjectHash = 0x959CC;

    public static readonly JsonElement[] LmCache = Load("lmcache_hash_vectors.json");

    public static readonly JsonElement[] Vllm = Load("vllm_block_hash_vectors.json");

    public static long[] Tokens(JsonElement vector) => [.. vector.GetProperty("tokens").EnumerateArray().Select(token => token.GetInt64())];

    public static string? Text(JsonElement vector, string name) =>
        vector.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static JsonElement[] Load(string file)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(RepositoryRoot.At("tests", "data", "hashing", file)));
        return [.. document.RootElement.GetProperty("cases").Clone().EnumerateArray()];
    }
}
