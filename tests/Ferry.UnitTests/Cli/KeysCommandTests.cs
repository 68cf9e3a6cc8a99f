using System.Text.Json;
using Xunit;

namespace Ferry.UnitTests.Cli;

public sealed class KeysCommandTests
{
    private const string Range1000 = "1000,1001,1002,1003,1004,1005,1006,1007,1008,1009,1010,1011,1012,1013,1014,1015,1016,1017,1018,1019";

    [Fact]
    public async Task Keys_Json_HoldsTheRecordedHashesAndKeysOfAllThreeWriters()
    {
        var run = await CommandLineRun.OfAsync("keys", "--tokens", Range1000, "--chunk-size", "8", "--model", "meta-llama/Llama-3.1-8B", "--json");

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        var report = JsonDocument.Parse(run.Output).RootElement;
        var chunks = report.GetProperty("lmcache").GetProperty("chunks");
        Assert.Equal(3, chunks.GetArrayLength());
        Assert.Equal("meta-llama/Llama-3.1-8B@1@0@3b47ebd4046fc04eb33f4b3570ab520ef28fa05cd632ed9bc061d71f1e50bdd7@bfloat16",
            chunks[0].GetProperty("key").GetString());
        Assert.Equal(4, chunks[2].GetProperty("token_count").GetInt32());
        var objects = report.GetProperty("lmcache_daemon").GetProperty("chunks");
        Assert.Equal(2, objects.GetArrayLength());
        Assert.Equal("meta-llama/Llama-3.1-8B@01000100@0@1d9efd43439ba5a502ed7086a93144c9a0b6996f8dd24f6c2ef597fbea82a5e6",
            objects[0].GetProperty("key").GetString());
        Assert.Equal(4, report.GetProperty("lmcache_daemon").GetProperty("unnamed_tokens").GetInt32());
        Assert.Equal("4e1195df020de59e0d65a33a4279f1183e7ae4e5d980e309f8b55adff2e61c3e", report.GetProperty("vllm").GetProperty("root").GetString());
        Assert.Equal(1, report.GetProperty("vllm").GetProperty("blocks").GetArrayLength());
    }

    [Fact]
    public async Task Keys_VllmBlocks_ShowTheRecordedEventForm()
    {
        var run = await CommandLineRun.OfAsync("keys", "--tokens", "0 1 2 3 4 5 6 7", "--block-size", "4");

        Assert.Contains("8d4c7c828f1611f485f1ebfc2b19f0fe1c90d0a71d00cd90948a1fa5e8c9e91f  10703402261835016479", run.Output, StringComparison.Ordinal);
        Assert.Contains("ed6fa5d37a067707ede9aff44aa2819ab639263ca4ca66e8d36d02ffac952d33  15234836411599629619", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("builtin", "MODEL@1@0@1c6d10d5c53a9afd@bfloat16", "mp-builtin", "vllm-sha256_cbor")]
    [InlineData("xxhash_cbor", "MODEL@1@0@2b629d0a826667c17abf1765e1f8a20a@bfloat16", "blake3", "vllm-xxhash_cbor")]
    [InlineData("mp-sha256_cbor", "MODEL@01000100@0@4254c91de80d861e31757e368841ac3392c5929e86177a10e8fd30f5342fcf9c", "sha256_cbor", "vllm-sha256_cbor")]
    public async Task Keys_AlgorithmGiven_IsUsedAndTheOtherWritersFollowIt(string algorithm, string key, string other, string vllm)
    {
        var run = await CommandLineRun.OfAsync("keys", "--tokens", Range1000, "--chunk-size", "8", "--algorithm", algorithm);

        Assert.Equal(0, run.ExitCode);
        Assert.Contains(key, run.Output, StringComparison.Ordinal);
        Assert.Contains($": {algorithm}, ", run.Output, StringComparison.Ordinal);
        Assert.Contains($": {other}, ", run.Output, StringComparison.Ordinal);
        Assert.Contains($": {vllm}, ", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keys_SeedUnset_SaysWhyTwoWritersHaveNoNamesAndShowsTheThird()
    {
        var run = await CommandLineRun.OfAsync("keys", "--tokens", Range1000, "--chunk-size", "8", "--hash-seed", "unset");

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("32 random bytes", run.Output, StringComparison.Ordinal);
        Assert.Contains("1d9efd43439ba5a502ed7086a93144c9a0b6996f8dd24f6c2ef597fbea82a5e6", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keys_LongPrompt_ShowsTheFirstAndLastRowsAndSaysWhereTheRestIs()
    {
        var run = await CommandLineRun.OfAsync("keys", "--tokens", string.Join(',', Enumerable.Range(0, 400)), "--block-size", "4");

        Assert.Contains("82 more: --json shows all", run.Output, StringComparison.Ordinal);
        Assert.Contains("396..399", run.Output, StringComparison.Ordinal);
        Assert.InRange(run.Output.Split('\n').Length, 1, 60);
    }

    [Theory]
    [InlineData("the prompt by one of --tokens", "keys")]
    [InlineData("--tokens and --prompt exclude each other", "keys", "--tokens", "1", "--prompt", "x")]
    [InlineData("--tokens and --tokens-file exclude each other", "keys", "--tokens", "1", "--tokens-file", "x")]
    [InlineData("--prompt needs --tokenizer", "keys", "--prompt", "x")]
    [InlineData("--tokenizer goes with --prompt", "keys", "--tokens", "1", "--tokenizer", "x")]
    [InlineData("/nowhere/tokenizer.json does not exist", "keys", "--prompt", "x", "--tokenizer", "/nowhere")]
    [InlineData("'x' at position 1 (from 0) is not a number", "keys", "--tokens", "1,x")]
    [InlineData("'-5' at position 2 (from 0) is negative", "keys", "--tokens", "1,2,-5")]
    [InlineData("'-5' at position 0 (from 0) is negative", "keys", "--tokens", "-5")]
    [InlineData("'2147483648' at position 0 (from 0) does not fit 31 bits", "keys", "--tokens", "2147483648")]
    [InlineData("'99999999999999999999999999999999' at position 0 (from 0) does not fit 31 bits", "keys", "--tokens", "99999999999999999999999999999999999999999999")]
    [InlineData("'-' at position 0 (from 0) is not a number", "keys", "--tokens", "-")]
    [InlineData("'?[31m1' at position 0 (from 0) is not a number", "keys", "--tokens", "\e[31m1")]
    [InlineData("nothing at position 1 (from 0)", "keys", "--tokens", "1,,2")]
    [InlineData("holds no token ids", "keys", "--tokens", " ")]
    [InlineData("--chunk-size is 0; it must lie in 1..", "keys", "--tokens", "1", "--chunk-size", "0")]
    [InlineData("--chunk-size is -1; it must lie in 1..", "keys", "--tokens", "1", "--chunk-size", "-1")]
    [InlineData("--block-size is 0", "keys", "--tokens", "1", "--block-size", "0")]
    [InlineData("--world-size is 256; it must lie in 1..255", "keys", "--tokens", "1", "--world-size", "256")]
    [InlineData("--worker is -1", "keys", "--tokens", "1", "--worker", "-1")]
    [InlineData("--dtype 'int4' is unknown", "keys", "--tokens", "1", "--dtype", "int4")]
    [InlineData("model is 'a@b'", "keys", "--tokens", "1", "--model", "a@b")]
    [InlineData("salt is 'a/b'", "keys", "--tokens", "1", "--chunk-size", "1", "--salt", "a/b")]
    [InlineData("Did you mean 'sha256_cbor'?", "keys", "--tokens", "1", "--algorithm", "sha256-cbor")]
    [InlineData("cannot be computed outside Python", "keys", "--tokens", "1", "--algorithm", "vllm-sha256")]
    [InlineData("'abc' is not a PYTHONHASHSEED", "keys", "--tokens", "1", "--hash-seed", "abc")]
    [InlineData("needs the hash seed", "keys", "--tokens", "1", "--algorithm", "sha256_cbor", "--hash-seed", "unset")]
    [InlineData("is neither a key of LMCache", "keys", "--tokens", "1", "--explain", "nonsense")]
    [InlineData("/nowhere/ids.txt cannot be read", "keys", "--tokens-file", "/nowhere/ids.txt")]
    [InlineData("/ is a directory", "keys", "--tokens-file", "/")]
    [InlineData("--tokens-file  cannot be read", "keys", "--tokens-file", "")]
    public async Task Keys_BadInput_IsAClearErrorWithExitCode2(string expected, params string[] arguments)
    {
        var run = await CommandLineRun.OfAsync(arguments);

        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
        Assert.Equal(2, run.ExitCode);
        Assert.Equal("", run.Output);
    }

    [Fact]
    public async Task Keys_TokensFile_ReadsJsonAndLinesAlikeAndNamesThePathOfABadOne()
    {
        var path = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(path, $"[{Range1000.Replace(",", ", ", StringComparison.Ordinal)}]\n");
            var json = await CommandLineRun.OfAsync("keys", "--tokens-file", path);
            await File.WriteAllTextAsync(path, Range1000.Replace(',', '\n'));
            var lines = await CommandLineRun.OfAsync("keys", "--tokens-file", path);
            await File.WriteAllTextAsync(path, "{\"tokens\": [1]}");
            var bad = await CommandLineRun.OfAsync("keys", "--tokens-file", path);

            Assert.Equal(0, json.ExitCode);
            Assert.Equal(json.Output, lines.Output);
            Assert.Equal(2, bad.ExitCode);
            Assert.Contains($"{path}: '{{\"tokens\":' at position 0", bad.Error, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public async Task Keys_Prompt_IsTokenizedByTheModelsTokenizer()
    {
        var directory = Directory.CreateTempSubdirectory();
        try
        {
            await File.WriteAllTextAsync(Path.Combine(directory.FullName, "tokenizer.json"), """
                {
                  "added_tokens": [],
                  "pre_tokenizer": { "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true },
                  "decoder": { "type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true },
                  "model": { "type": "BPE", "vocab": { "a": 1000, "b": 1001, "c": 1002, "bc": 1003, "@": 1004 }, "merges": ["b c"] }
                }
                """);

            var prompt = await CommandLineRun.OfAsync("keys", "--prompt", "@abca", "--tokenizer", directory.FullName);
            var tokens = await CommandLineRun.OfAsync("keys", "--tokens", "1004,1000,1003,1000");

            Assert.Equal(("", 0), (prompt.Error, prompt.ExitCode));
            Assert.Equal(tokens.Output, prompt.Output);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData("MODEL@1@0@3b47ebd4046fc04eb33f4b3570ab520ef28fa05cd632ed9bc061d71f1e50bdd7@bfloat16", "A hit: this is the key of tokens 0..7.")]
    [InlineData("MODEL@1@0@3b47ebd4046fc04eb33f4b3570ab520ef28fa05cd632ed9bc061d71f1e50bdd7@bfloat16kv_bytes", "A hit: this is the key of tokens 0..7.")]
    [InlineData("53965cde07d3bc94521105408b1ce9ace869b4846912fa40997f1e83c40db561", "A hit: this is the hash of tokens 8..15.")]
    [InlineData("MODEL@01000100@0@af0e18facacd9ec7a1542297eb6eac3cb6461ea0fdc51efcc8db762c16b83c81", "A hit: this is the key of tokens 8..15.")]
    public async Task Explain_KeyOfThePrompt_IsAHitWithItsTokens(string key, string verdict)
    {
        var run = await CommandLineRun.OfAsync("keys", "--tokens", Range1000, "--chunk-size", "8", "--explain", key);

        Assert.Equal(0, run.ExitCode);
        Assert.StartsWith(verdict, run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("other@4@2@3b47ebd4046fc04eb33f4b3570ab520ef28fa05cd632ed9bc061d71f1e50bdd7@half",
        "model: the key has other, you asked for MODEL|world size: the key has 4|worker: the key has 2|dtype: the key has half")]
    [InlineData("MODEL@1@0@1c6d10d5c53a9afd@bfloat16", "hash algorithm: the key has builtin (")]
    [InlineData("MODEL@1@0@-6e3720409b8982e3@bfloat16", "names tokens 8..15|hash algorithm: the key has builtin (")]
    [InlineData("MODEL@01000100@4254c91de80d861e31757e368841ac3392c5929e86177a10e8fd30f5342fcf9c", "has no object group|mp-sha256_cbor")]
    [InlineData("MODEL@1@0@ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff@bfloat16", "no known algorithm|Compare the token ids")]
    public async Task Explain_KeyOfAnotherDeployment_IsAMissThatNamesEachDifference(string key, string expected)
    {
        var run = await CommandLineRun.OfAsync("keys", "--tokens", Range1000, "--chunk-size", "8", "--explain", key);

        Assert.Equal(1, run.ExitCode);
        Assert.StartsWith("A miss", run.Output, StringComparison.Ordinal);
        Assert.All(expected.Split('|'), part => Assert.Contains(part, run.Output, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Explain_OtherSeedAndChunkSize_NamesBothInText()
    {
        var other = await CommandLineRun.OfAsync("keys", "--tokens", Range1000, "--chunk-size", "16", "--hash-seed", "42", "--json");
        var key = JsonDocument.Parse(other.Output).RootElement.GetProperty("lmcache").GetProperty("chunks")[0].GetProperty("key").GetString()!;

        var run = await CommandLineRun.OfAsync("keys", "--tokens", Range1000, "--chunk-size", "8", "--explain", key);

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("PYTHONHASHSEED: the key has 42, you asked for 0", run.Output, StringComparison.Ordinal);
        Assert.Contains("tokens a chunk: the key has 16, you asked for 8", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Explain_VllmBlockWithSalt_IsAHitWithTheSaltAndAMissThatNamesItWithout()
    {
        string[] prompt = ["keys", "--tokens", Range1000, "--block-size", "4"];
        var salted = await CommandLineRun.OfAsync([.. prompt, "--salt", "tenant", "--json"]);
        var plain = await CommandLineRun.OfAsync([.. prompt, "--json"]);

        var hit = await CommandLineRun.OfAsync([.. prompt, "--salt", "tenant", "--explain", SecondBlock(salted)]);
        var miss = await CommandLineRun.OfAsync([.. prompt, "--salt", "tenant", "--explain", SecondBlock(plain)]);

        Assert.StartsWith("A hit: this is the hash of tokens 4..7.", hit.Output, StringComparison.Ordinal);
        Assert.Equal(1, miss.ExitCode);
        Assert.Contains("extra keys: the hash has neither LoRA nor cache_salt", miss.Output, StringComparison.Ordinal);

        static string SecondBlock(CommandLineRun run) =>
            JsonDocument.Parse(run.Output).RootElement.GetProperty("vllm").GetProperty("blocks")[1].GetProperty("hash").GetString()!;
    }

    [Fact]
    public async Task Explain_Json_HoldsTheVerdict()
    {
        var run = await CommandLineRun.OfAsync("keys", "--tokens", Range1000, "--chunk-size", "8", "--json", "--explain", "MODEL@1@0@1c6d10d5c53a9afd@bfloat16");

        Assert.Equal(1, run.ExitCode);
        Assert.False(JsonDocument.Parse(run.Output).RootElement.GetProperty("explanation").GetProperty("hit").GetBoolean());
    }
}
