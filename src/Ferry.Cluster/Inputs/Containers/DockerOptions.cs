namespace Ferry.Cluster.Inputs.Containers;

/// <summary>Which options of <c>docker run</c> stand alone; all others take a value (docs.docker.com, "docker container run").</summary>
internal static class DockerOptions
{
    private static readonly HashSet<string> Switches = new(StringComparer.Ordinal)
    {
        "--detach", "--disable-content-trust", "--help", "--init", "--interactive", "--no-healthcheck", "--oom-kill-disable", "--privileged",
        "--publish-all", "--quiet", "--read-only", "--rm", "--sig-proxy", "--tty", "--use-api-socket", "--replace", "--tls-verify",
    };

    private const string ShortSwitches = "ditPq";

    private static readonly Dictionary<char, string> ShortNames = new()
    {
        ['e'] = "--env",
        ['v'] = "--volume",
        ['p'] = "--publish",
        ['h'] = "--hostname",
        ['l'] = "--label",
        ['m'] = "--memory",
        ['u'] = "--user",
        ['w'] = "--workdir",
        ['c'] = "--cpu-shares",
        ['a'] = "--attach",
        ['d'] = "--detach",
        ['i'] = "--interactive",
        ['t'] = "--tty",
        ['P'] = "--publish-all",
        ['q'] = "--quiet",
    };

    /// <summary>Other spellings of one option.</summary>
    private static readonly Dictionary<string, string> Aliases = new(StringComparer.Ordinal) { ["--net"] = "--network", ["--mount"] = "--mount" };

    /// <summary>Index of the image among the words, or -1 when there is none.</summary>
    /// <param name="from">The first word behind <c>run</c>.</param>
    public static int FindImage(IReadOnlyList<string> words, int from)
    {
        for (var i = from; i < words.Count; i++)
        {
            var word = words[i];
            if (word.Length == 0 || word[0] != '-') { return word.Length == 0 ? -1 : i; }
            if (word == "--") { return i + 1 < words.Count ? i + 1 : -1; }
            if (TakesNext(word)) { i++; }
        }
        return -1;
    }

    /// <summary>The long name of an option and its attached value: <c>-eA=b</c> is (<c>--env</c>, index 2); -1 when no value is attached.</summary>
    public static (string Name, int ValueAt) Split(string word)
    {
        if (word.StartsWith("--", StringComparison.Ordinal))
        {
            var equals = word.IndexOf('=', StringComparison.Ordinal);
            var name = equals < 0 ? word : word[..equals];
            return (Aliases.GetValueOrDefault(name, name), equals < 0 ? -1 : equals + 1);
        }
        // -it, -itd: switches in a row; -de A=b: the last of them takes the value.
        for (var i = 1; i < word.Length; i++)
        {
            if (ShortSwitches.Contains(word[i], StringComparison.Ordinal)) { continue; }
            var name = ShortNames.GetValueOrDefault(word[i], "-" + word[i]);
            var valueAt = i + 1 < word.Length && word[i + 1] == '=' ? i + 2 : i + 1;
            return (name, i + 1 < word.Length ? valueAt : -1);
        }
        return (word.Length > 1 ? ShortNames.GetValueOrDefault(word[^1], word) : word, -1);
    }

    /// <summary>Whether the word behind this option is its value.</summary>
    public static bool TakesNext(string word)
    {
        var (name, valueAt) = Split(word);
        return valueAt < 0 && !Switches.Contains(name) && name != "-";
    }

    /// <summary>A long option that docker knows or that at least is written like one behind the image by mistake.</summary>
    public static bool IsEnvironmentOrDevice(string word) => Split(word).Name is "--env" or "--device" or "--volume" or "--publish" or "--network" or "--ipc"
        or "--group-add" or "--cap-add" or "--ulimit" or "--shm-size" or "--runtime" or "--gpus" or "--security-opt" or "--env-file";
}
