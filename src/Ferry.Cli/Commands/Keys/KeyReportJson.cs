using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Ferry.Kv.Hashing;

namespace Ferry.Cli.Commands.Keys;

/// <summary>The report for programs. 64-bit numbers are text: many readers keep only 53 bits.</summary>
internal static class KeyReportJson
{
    public static void Write(KeyReport report, KeyExplanation? explanation, TextWriter output)
    {
        using var bytes = new MemoryStream();
        // Relaxed: model names keep their '+' and letters of any script; this is no HTML.
        using (var json = new Utf8JsonWriter(bytes, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteNumber("token_count", report.Question.Tokens.Length);
            json.WriteString("hash_seed", report.Question.HashSeed);
            WriteSection(json, "lmcache", "chunk_size", "chunks", report.LmCache);
            WriteSection(json, "lmcache_daemon", "chunk_size", "chunks", report.LmCacheDaemon);
            WriteSection(json, "vllm", "block_size", "blocks", report.Vllm);
            if (explanation is not null)
            {
                json.WriteStartObject("explanation");
                json.WriteBoolean("hit", explanation.IsHit);
                json.WriteString("verdict", explanation.Verdict);
                json.WriteStartArray("differences");
                foreach (var difference in explanation.Differences)
                {
                    json.WriteStringValue(difference);
                }
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        output.WriteLine(Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length));
    }

    private static void WriteSection(Utf8JsonWriter json, string name, string sizeName, string rowsName, KeySection section)
    {
        json.WriteStartObject(name);
        json.WriteString("algorithm", section.Algorithm.Name);
        json.WriteNumber(sizeName, section.ChunkTokens);
        json.WriteString("root", section.Root?.ToString());
        if (section.Problem is not null)
        {
            json.WriteString("problem", section.Problem);
        }
        json.WriteNumber("unnamed_tokens", section.UnnamedTokens);
        json.WriteStartArray(rowsName);
        foreach (var row in section.Rows)
        {
            json.WriteStartObject();
            json.WriteNumber("first_token", row.FirstToken);
            json.WriteNumber("token_count", row.TokenCount);
            json.WriteString("hash", row.Hash.ToString());
            if (row.Key is not null)
            {
                json.WriteString("key", row.Key);
            }
            else
            {
                json.WriteString("event_hash", VllmBlockHasher.ToEventHash(row.Hash).ToString());
            }
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
