using System.CommandLine;
using Ferry.Cli.Commands.Keys;
using Ferry.Cli.Help;
using Ferry.Engine.Tokenization;
using Ferry.Kv.Hashing;
using Ferry.Kv.Keys;

namespace Ferry.Cli.Commands;

/// <summary><c>ferry keys</c>: the names that LMCache and vLLM give the KV of a prompt.</summary>
internal static class KeysCommand
{
    /// <summary>Stands in a key until the user says which model.</summary>
    private const string UnknownModel = "MODEL";

    private static readonly IReadOnlyList<CommandExample> Examples =
    [
        new("ferry keys --tokens 128000,9906,1917 --chunk-size 2 --model meta-llama/Llama-3.1-8B", "All names of a prompt of three tokens"),
        new("ferry keys --prompt 'Once upon a time' --tokenizer models/ferry-tiny --json", "From text, for a program"),
        new("ferry keys --tokens-file prompt.txt --algorithm builtin+vllm --hash-seed 0 --world-size 4 --worker 1 --dtype bfloat16",
            "Rank 1 of 4 of an LMCache that hashes with Python's hash()"),
        new("ferry keys --tokens-file prompt.txt --model m --explain 'm@1@0@-41257af1dd85c366@bfloat16'", "Why is this key of the store not found?"),
    ];

    public static Command Create()
    {
        var algorithm = new Option<string?>("--algorithm") { Description = "Hash algorithm, such as sha256_cbor, builtin, builtin+vllm, blake3, vllm-xxhash_cbor; the error for a wrong one lists all [default: each writer's own]", HelpName = "name" };
        var chunkSize = new Option<int>("--chunk-size") { Description = "LMCache's chunk_size, in tokens", DefaultValueFactory = _ => 256, HelpName = "tokens" };
        var blockSize = new Option<int>("--block-size") { Description = "vLLM's block size, in tokens", DefaultValueFactory = _ => 16, HelpName = "tokens" };
        var model = new Option<string>("--model") { Description = "Model name as the engine was given it", DefaultValueFactory = _ => UnknownModel, HelpName = "name" };
        var worldSize = new Option<int>("--world-size") { Description = "Tensor-parallel ranks, 1 to 255", DefaultValueFactory = _ => 1, HelpName = "ranks" };
        var worker = new Option<int>("--worker") { Description = "Rank, from 0", DefaultValueFactory = _ => 0, HelpName = "rank" };
        var dtype = new Option<string>("--dtype") { Description = "KV element type, as vLLM or LMCache spell it", DefaultValueFactory = _ => "bfloat16", HelpName = "type" };
        var hashSeed = new Option<string>("--hash-seed") { Description = "PYTHONHASHSEED of the engine, or 'unset'", DefaultValueFactory = _ => ChunkHasher.DefaultHashSeed, HelpName = "seed" };
        var salt = new Option<string>("--salt") { Description = "cache_salt of the request", DefaultValueFactory = _ => "", HelpName = "text" };
        var lora = new Option<string?>("--lora") { Description = "LoRA adapter of the request (in vLLM's hashes only)", HelpName = "name" };
        var tokens = new Option<string?>("--tokens") { Description = "Token ids, such as 128000,9906,1917", HelpName = "ids" };
        var tokensFile = new Option<string?>("--tokens-file") { Description = "Text file of token ids between commas, blanks or line ends", HelpName = "path" };
        var prompt = new Option<string?>("--prompt") { Description = "Prompt text; needs --tokenizer", HelpName = "text" };
        var tokenizer = new Option<string?>("--tokenizer") { Description = "Model directory with tokenizer.json", HelpName = "directory" };
        var explain = new Option<string?>("--explain") { Description = "A key or hash found in a store: says whether and how it belongs to the prompt (exit code 1 if it is a miss)", HelpName = "key" };
        var json = new Option<bool>("--json") { Description = "Print JSON" };
        var command = new FerryCommand("keys", "Print the chunk hashes and key strings that LMCache and vLLM give a prompt: why is this a miss?", Examples)
        {
            algorithm, chunkSize, blockSize, model, worldSize, worker, dtype, hashSeed, salt, lora, tokens, tokensFile, prompt, tokenizer, explain, json,
        };
        command.SetAction(result =>
        {
            var question = new KeyQuestion(
                ReadTokens(result.GetValue(tokens), result.GetValue(tokensFile), result.GetValue(prompt), result.GetValue(tokenizer)),
                result.GetValue(algorithm),
                InRange("--chunk-size", result.GetValue(chunkSize), 1, TokenList.MaxTokens),
                InRange("--block-size", result.GetValue(blockSize), 1, TokenList.MaxTokens),
                result.GetValue(model)!,
                (byte)InRange("--world-size", result.GetValue(worldSize), 1, byte.MaxValue),
                (byte)InRange("--worker", result.GetValue(worker), 0, byte.MaxValue),
                LmCacheKey.TryDTypeName(result.GetValue(dtype)!) ?? throw new UsageException(
                    $"--dtype '{result.GetValue(dtype)}' is unknown. Known: {string.Join(", ", LmCacheKey.KnownDTypes.Order(StringComparer.Ordinal))}."),
                result.GetValue(hashSeed) is "unset" ? null : result.GetValue(hashSeed),
                result.GetValue(salt)!,
                result.GetValue(lora));
            var output = result.InvocationConfiguration.Output;
            return Answer(question, result.GetValue(explain), result.GetValue(json), output);
        });
        return command;
    }

    private static int Answer(KeyQuestion question, string? explain, bool json, TextWriter output)
    {
        KeyReport report;
        try
        {
            report = KeyReport.Build(question);
        }
        catch (ArgumentException exception)   // ChunkHashException too: each names the value, the rule and the way out
        {
            throw new UsageException(exception.Message);
        }
        var explanation = explain is null ? null : KeyExplainer.Explain(report, explain);
        if (json)
        {
            KeyReportJson.Write(report, explanation, output);
        }
        else
        {
            KeyReportText.Write(report, explanation, output);
        }
        return explanation is { IsHit: false } ? FerryCommandLine.Failed : FerryCommandLine.Done;
    }

    private static int[] ReadTokens(string? tokens, string? tokensFile, string? prompt, string? tokenizer)
    {
        string[] given = [.. new[] { (tokens, "--tokens"), (tokensFile, "--tokens-file"), (prompt, "--prompt") }
            .Where(source => source.Item1 is not null).Select(source => source.Item2)];
        if (given.Length != 1)
        {
            throw new UsageException(given.Length == 0
                ? "give the prompt by one of --tokens, --tokens-file and --prompt."
                : $"{string.Join(" and ", given)} exclude each other; give one.");
        }
        if (prompt is null)
        {
            return tokenizer is not null
                ? throw new UsageException($"--tokenizer goes with --prompt; {given[0]} already has token ids.")
                : tokens is not null ? TokenList.Parse(tokens, "--tokens") : TokenList.Read(tokensFile!);
        }
        if (tokenizer is null)
        {
            throw new UsageException("--prompt needs --tokenizer DIRECTORY, a model directory with tokenizer.json; or give token ids by --tokens.");
        }
        try
        {
            var ids = Tokenizer.Load(tokenizer).Encode(prompt);
            return ids.Length > 0 ? ids : throw new UsageException("--prompt gives no tokens.");
        }
        catch (Exception exception) when (exception is TokenizerException or IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"--tokenizer {tokenizer}: {exception.Message}");
        }
    }

    private static int InRange(string option, int value, int min, int max) =>
        value >= min && value <= max ? value : throw new UsageException($"{option} is {value}; it must lie in {min}..{max}.");
}
