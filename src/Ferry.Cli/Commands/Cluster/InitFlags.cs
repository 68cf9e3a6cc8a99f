using System.CommandLine;
using Ferry.Cluster.Reading;
using Ferry.Cluster.Spec;
using Ferry.Cluster.Starter;

namespace Ferry.Cli.Commands.Cluster;

/// <summary>The flags of <c>ferry init</c>, one an answer.</summary>
internal sealed class InitFlags
{
    private static readonly StarterAnswers Defaults = new();

    private readonly Option<string?> _name = new("--name") { Description = $"Name of the cluster [default: {Defaults.Name}]", HelpName = "name" };
    private readonly Option<string?> _model = new("--model") { Description = $"Model id [default: {Defaults.Model}]", HelpName = "id" };
    private readonly Option<string?> _storage = Choice("--storage", "What all nodes share: none is hand-over only [default: none]", "none", "s3", "redis", "directory");
    private readonly Option<string?> _engine = Choice("--engine", "What serves the model [default: vllm]", Names<EngineKind>());
    private readonly Option<string?> _handover = Choice("--handover", "How KV gets from prefill to decode [default: ferry]", Names<HandoverKind>());
    private readonly Option<string?> _transport = Choice("--transport", "The network between nodes [default: tcp]", Names<TransportKind>());
    private readonly Option<string?> _prefillAccelerator = Choice("--prefill-accelerator", "Of the prefill nodes [default: mi300x, with --engine ferry cpu]", [.. AcceleratorProfiles.ByName.Keys]);
    private readonly Option<string?> _decodeAccelerator = Choice("--decode-accelerator", "Of the decode nodes [default: gaudi3, with --engine ferry cpu]", [.. AcceleratorProfiles.ByName.Keys]);
    private readonly Option<string[]> _prefill = new("--prefill") { Description = "Address of a prefill node; as often as there are nodes", HelpName = "host" };
    private readonly Option<string[]> _decode = new("--decode") { Description = "Address of a decode node; as often as there are nodes", HelpName = "host" };
    private readonly Option<int?> _prefillRanks = new("--prefill-tensor-parallel-size") { Description = "Ranks of a prefill node [default: 4, on CPU 1]", HelpName = "n" };
    private readonly Option<int?> _decodeRanks = new("--decode-tensor-parallel-size") { Description = "Ranks of a decode node [default: 4, on CPU 1]", HelpName = "n" };
    private readonly Option<string?> _s3Endpoint = new("--s3-endpoint") { Description = "URL of the S3 server", HelpName = "url" };
    private readonly Option<string?> _s3Bucket = new("--s3-bucket") { Description = "Its bucket", HelpName = "name" };
    private readonly Option<string?> _redis = new("--redis") { Description = "HOST:PORT of the Redis", HelpName = "host:port" };
    private readonly Option<string?> _directory = new("--directory") { Description = "Path of the shared directory", HelpName = "path" };

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[_name, _model, _storage, _engine, _handover, _transport, _prefillAccelerator, _decodeAccelerator, _prefill, _decode, _prefillRanks, _decodeRanks, _s3Endpoint, _s3Bucket, _redis, _directory])
        {
            command.Options.Add(option);
        }
    }

    /// <param name="questions">Asked for what no flag says; null: the defaults stand.</param>
    public StarterAnswers Read(ParseResult parsed, InitQuestions? questions)
    {
        var engine = Value<EngineKind>(parsed.GetValue(_engine)) ?? questions?.Engine() ?? EngineKind.Vllm;
        var isCpu = engine == EngineKind.Ferry;
        var answers = Defaults with
        {
            Engine = engine,
            Name = parsed.GetValue(_name) ?? (isCpu ? "ferry-cpu" : Defaults.Name),
            Model = parsed.GetValue(_model) ?? questions?.Model(isCpu ? "models/ferry-tiny" : Defaults.Model) ?? (isCpu ? "models/ferry-tiny" : Defaults.Model),
            PrefillAccelerator = parsed.GetValue(_prefillAccelerator) ?? (isCpu ? "cpu" : questions?.Accelerator("prefill", Defaults.PrefillAccelerator) ?? Defaults.PrefillAccelerator),
            DecodeAccelerator = parsed.GetValue(_decodeAccelerator) ?? (isCpu ? "cpu" : questions?.Accelerator("decode", Defaults.DecodeAccelerator) ?? Defaults.DecodeAccelerator),
        };
        answers = answers with
        {
            PrefillAddresses = parsed.GetValue(_prefill) is { Length: > 0 } prefill ? prefill : questions?.Addresses("prefill") ?? Defaults.PrefillAddresses,
            DecodeAddresses = parsed.GetValue(_decode) is { Length: > 0 } decode ? decode : questions?.Addresses("decode") ?? Defaults.DecodeAddresses,
            PrefillTensorParallel = parsed.GetValue(_prefillRanks) ?? (answers.PrefillAccelerator == "cpu" ? 1 : Defaults.PrefillTensorParallel),
            DecodeTensorParallel = parsed.GetValue(_decodeRanks) ?? (answers.DecodeAccelerator == "cpu" ? 1 : Defaults.DecodeTensorParallel),
            Handover = Value<HandoverKind>(parsed.GetValue(_handover)) ?? Defaults.Handover,
            Transport = Value<TransportKind>(parsed.GetValue(_transport)) ?? (isCpu ? TransportKind.Tcp : questions?.Transport() ?? Defaults.Transport),
        };
        return Storage(answers, parsed, questions);
    }

    private StarterAnswers Storage(StarterAnswers answers, ParseResult parsed, InitQuestions? questions)
    {
        var named = parsed.GetValue(_storage);
        var implied = (parsed.GetValue(_s3Endpoint) ?? parsed.GetValue(_s3Bucket)) is not null ? "s3" : parsed.GetValue(_redis) is not null ? "redis" : parsed.GetValue(_directory) is not null ? "directory" : null;
        if (named is not null && implied is not null && named != implied)
        {
            throw new UsageException($"--storage is {named}, but a flag of {implied} is given; give one of them.");
        }
        var kind = (named ?? implied) is { } name ? Enum.Parse<StorageKind>(name, ignoreCase: true) : questions?.Storage() ?? StorageKind.None;
        return answers with
        {
            Storage = kind,
            S3Endpoint = parsed.GetValue(_s3Endpoint) ?? (kind == StorageKind.S3 ? questions?.Text("URL of the S3 server", Defaults.S3Endpoint) : null) ?? Defaults.S3Endpoint,
            S3Bucket = parsed.GetValue(_s3Bucket) ?? (kind == StorageKind.S3 ? questions?.Text("Bucket", Defaults.S3Bucket) : null) ?? Defaults.S3Bucket,
            RedisAddress = parsed.GetValue(_redis) ?? (kind == StorageKind.Redis ? questions?.Text("HOST:PORT of the Redis", Defaults.RedisAddress) : null) ?? Defaults.RedisAddress,
            Directory = parsed.GetValue(_directory) ?? (kind == StorageKind.Directory ? questions?.Text("Path of the shared directory", Defaults.Directory) : null) ?? Defaults.Directory,
        };
    }

    private static Option<string?> Choice(string name, string description, params string[] names)
    {
        var option = new Option<string?>(name) { Description = description };
        option.AcceptOnlyFromAmong(names);
        return option;
    }

    private static string[] Names<T>() where T : struct, Enum => [.. Enum.GetValues<T>().Select(value => SpecNames.Of(value))];

    private static T? Value<T>(string? name) where T : struct, Enum => name is null ? null : Enum.GetValues<T>().First(value => SpecNames.Of(value) == name);
}
