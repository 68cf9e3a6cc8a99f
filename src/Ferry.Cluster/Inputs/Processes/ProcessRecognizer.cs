using Ferry.Cluster.Inputs.Shell;
using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Inputs.Processes;

/// <summary>Turns a draft into a process: finds the program behind wrappers, its arguments, and everything that follows from them.</summary>
/// <param name="lmCacheFiles">LMCache's YAML files among the inputs.</param>
/// <param name="defects">Takes what is met on the way.</param>
internal sealed class ProcessRecognizer(LmCacheFiles lmCacheFiles, List<SourceDefect> defects)
{
    /// <summary>A shell in a shell in a shell: deeper than any image's entry script.</summary>
    private const int MaxNesting = 4;

    public ObservedProcess Recognize(ProcessDraft draft, int group)
    {
        var environment = draft.Environment.ToList();
        var words = Unwrap(draft.Words, environment, 0);
        var (kind, argumentsAt) = Program(words, draft.Container?.Image);
        var arguments = new ProcessArguments([.. words.Skip(argumentsAt)]);
        var settings = new ProcessEnvironment(environment);
        var transfer = kind is ProcessKind.VllmServe or ProcessKind.Unknown ? KvTransferReader.Read(arguments, settings, defects) : null;
        var ferryTransfer = kind == ProcessKind.FerryServe ? KvTransferReader.Read(arguments, settings, []) : null;
        var yaml = lmCacheFiles.Find(settings.Value("LMCACHE_CONFIG_FILE")?.Value, draft.MountedFiles);
        var lmCache = LmCacheReader.Read(settings, yaml, transfer);
        return new ObservedProcess
        {
            Kind = kind,
            Name = draft.Name,
            Span = draft.Span,
            HeadSpan = draft.HeadSpan,
            Group = group,
            Host = draft.Host,
            Accelerator = kind is ProcessKind.VllmServe or ProcessKind.LmCacheServer or ProcessKind.Unknown
                ? AcceleratorGuesser.Guess(draft, settings, arguments, transfer) : AcceleratorGuess.None,
            Role = kind is ProcessKind.VllmServe or ProcessKind.FerryServe ? RoleGuesser.Guess(draft, arguments, transfer ?? ferryTransfer, lmCache) : ProcessRole.Unknown,
            Environment = settings,
            Arguments = arguments,
            Model = kind is ProcessKind.VllmServe or ProcessKind.FerryServe ? arguments.Value("--model") ?? (arguments.Positionals.Count > 0 ? arguments.Positionals[0] : null) : null,
            KvTransfer = transfer,
            FerryTransfer = ferryTransfer,
            Container = draft.Container,
            Kubernetes = draft.Kubernetes,
            LmCache = lmCache,
        };
    }

    /// <summary>Whether a command of a script is a process that the rules know; others are of no interest.</summary>
    public static bool IsKnown(IReadOnlyList<SourcedText> words) => words.Count > 0 && Program(words, null).Kind != ProcessKind.Unknown;

    /// <summary>The words that a wrapper (a shell with -c, an init, numactl) would run in the end; what a script exports on the way is added.</summary>
    private IReadOnlyList<SourcedText> Unwrap(IReadOnlyList<SourcedText> words, List<EnvironmentSetting> environment, int depth)
    {
        if (words.Count == 0 || depth == MaxNesting) { return words; }
        var program = FileName(words[0].Value);
        if (program is "sh" or "bash" or "dash" or "ash" or "zsh")
        {
            var script = ScriptAt(words);
            return script < 0 ? words : Unwrap(Main(words[script], environment), environment, depth + 1);
        }
        var skip = program switch
        {
            "tini" or "dumb-init" => Behind(words, "--") ?? 1,
            "numactl" or "nice" or "stdbuf" or "ionice" => SkipOptions(words),
            "env" or "exec" or "nohup" => 1,
            _ => 0,
        };
        return skip > 0 && skip < words.Count ? Unwrap([.. words.Skip(skip)], environment, depth + 1) : words;
    }

    /// <summary>Index of the word behind <c>-c</c> (also <c>-lc</c>, <c>-exc</c>), or -1.</summary>
    private static int ScriptAt(IReadOnlyList<SourcedText> words)
    {
        for (var i = 1; i + 1 < words.Count && words[i].Value.StartsWith('-'); i++)
        {
            if (words[i].Value.EndsWith('c') && !words[i].Value.StartsWith("--", StringComparison.Ordinal)) { return i + 1; }
        }
        return -1;
    }

    private IReadOnlyList<SourcedText> Main(SourcedText script, List<EnvironmentSetting> environment)
    {
        var scope = new ShellScope { IsOpen = true };
        foreach (var setting in environment.Where(setting => setting.Value is not null))
        {
            scope.Assign(new ShellVariable(setting.Name, setting.Value, null, true, setting.Span));
        }
        IReadOnlyList<SourcedText> last = [];
        ShellCommand? main = null;
        foreach (var command in new ShellInterpreter(scope).Run(ShellLexer.Read(script, defects)))
        {
            last = command.Words;
            if (IsKnown(command.Words)) { main = command; }
        }
        if (main is null) { return last; }
        environment.AddRange(main.Environment.Where(setting => !environment.Any(known => known.Name.Span == setting.Name.Span && known.Name.Value == setting.Name.Value)));
        return main.Words;
    }

    private static int? Behind(IReadOnlyList<SourcedText> words, string mark)
    {
        for (var i = 1; i < words.Count; i++)
        {
            if (words[i].Value == mark) { return i + 1; }
        }
        return null;
    }

    private static int SkipOptions(IReadOnlyList<SourcedText> words)
    {
        var at = 1;
        while (at < words.Count && words[at].Value.StartsWith('-')) { at++; }
        return at;
    }

    /// <summary>What the words run and where its arguments begin.</summary>
    private static (ProcessKind Kind, int ArgumentsAt) Program(IReadOnlyList<SourcedText> words, SourcedText? image)
    {
        if (words.Count == 0 || words[0].Value.StartsWith('-') || image is not null && IsModelOfVllmImage(words, image)) { return (OfImage(image), 0); }
        var program = FileName(words[0].Value);
        var second = words.Count > 1 ? words[1].Value : "";
        switch (program)
        {
            case "vllm": return second == "serve" ? (ProcessKind.VllmServe, 2) : second == "router" ? (ProcessKind.Router, 2) : (ProcessKind.Unknown, 1);
            case "serve" when OfImage(image) == ProcessKind.VllmServe: return (ProcessKind.VllmServe, 1);
            case "lmcache": return second == "server" ? (ProcessKind.LmCacheServer, 2) : (ProcessKind.Unknown, 1);
            case "lmcache_server" or "lmcache_v1_server": return (ProcessKind.LmCacheServer, 1);
            case "ferry": return OfFerry(second);
            case "serve" or "cache" or "route" when OfImage(image) == ProcessKind.FerryServe: return (OfFerry(words[0].Value).Kind, 1);
            case "redis-server" or "valkey-server": return (ProcessKind.Redis, 1);
            case "vllm-router" or "pd-router" or "nginx" or "haproxy" or "envoy" or "traefik" or "litellm" or "sglang-router": return (ProcessKind.Router, 1);
            default: break;
        }
        if (program.StartsWith("python", StringComparison.Ordinal) || program is "uv" or "torchrun") { return OfPython(words); }
        return IsProxyScript(program) ? (ProcessKind.Router, 1) : OfImage(image) is var kind && kind is ProcessKind.Router or ProcessKind.Redis ? (kind, 0) : (ProcessKind.Unknown, 1);
    }

    private static (ProcessKind Kind, int ArgumentsAt) OfFerry(string command) => command switch
    {
        "serve" => (ProcessKind.FerryServe, 2),
        "cache" => (ProcessKind.FerryCache, 2),
        "route" => (ProcessKind.FerryRoute, 2),
        _ => (ProcessKind.Unknown, 1),
    };

    private static (ProcessKind Kind, int ArgumentsAt) OfPython(IReadOnlyList<SourcedText> words)
    {
        for (var i = 1; i < words.Count; i++)
        {
            var word = words[i].Value;
            if (word == "-m" && i + 1 < words.Count)
            {
                var module = words[i + 1].Value;
                return module.StartsWith("vllm.entrypoints", StringComparison.Ordinal) ? (ProcessKind.VllmServe, i + 2)
                    : module.StartsWith("lmcache.", StringComparison.Ordinal) && module.Contains("server", StringComparison.Ordinal) ? (ProcessKind.LmCacheServer, i + 2)
                    : IsProxyScript(module) || module.StartsWith("vllm_router", StringComparison.Ordinal) ? (ProcessKind.Router, i + 2)
                    : (ProcessKind.Unknown, i + 2);
            }
            if (!word.StartsWith('-') && word.EndsWith(".py", StringComparison.Ordinal))
            {
                return IsProxyScript(FileName(word)) ? (ProcessKind.Router, i + 1) : (ProcessKind.Unknown, i + 1);
            }
        }
        return (ProcessKind.Unknown, 1);
    }

    private static bool IsProxyScript(string name) =>
        name.Contains("proxy", StringComparison.OrdinalIgnoreCase) || name.Contains("router", StringComparison.OrdinalIgnoreCase) || name.Contains("routing-sidecar", StringComparison.Ordinal);

    private static ProcessKind OfImage(SourcedText? image)
    {
        if (image is null) { return ProcessKind.Unknown; }
        var name = image.Value.ToLowerInvariant();
        var last = name.Split('@')[0].Split('/')[^1];
        if (last.Contains("router", StringComparison.Ordinal) || last.Contains("sidecar", StringComparison.Ordinal) || last.Contains("proxy", StringComparison.Ordinal) ||
            last.StartsWith("nginx", StringComparison.Ordinal) || last.StartsWith("envoy", StringComparison.Ordinal))
        {
            return ProcessKind.Router;
        }
        if (last.StartsWith("redis", StringComparison.Ordinal) || last.StartsWith("valkey", StringComparison.Ordinal)) { return ProcessKind.Redis; }
        if (last.StartsWith("ferry", StringComparison.Ordinal)) { return ProcessKind.FerryServe; }
        return name.Contains("vllm", StringComparison.Ordinal) ? ProcessKind.VllmServe : ProcessKind.Unknown;
    }

    /// <summary>vllm/vllm-openai takes the model as the first word behind the image.</summary>
    private static bool IsModelOfVllmImage(IReadOnlyList<SourcedText> words, SourcedText image) =>
        OfImage(image) == ProcessKind.VllmServe && image.Value.Contains("openai", StringComparison.Ordinal) && words[0].Value.Contains('/', StringComparison.Ordinal) &&
        !words[0].Value.StartsWith('/') && !words[0].Value.EndsWith(".sh", StringComparison.Ordinal);

    private static string FileName(string path) => path[(path.LastIndexOf('/') + 1)..];
}
