using Ferry.Cluster.Inputs.Shell;
using Ferry.Cluster.Lint.Rules.Shell;
using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Inputs.Processes;

/// <summary>Reads <c>--kv-transfer-config</c>: JSON, or dotted flags (<c>--kv-transfer-config.kv_role kv_both</c>).</summary>
internal static class KvTransferReader
{
    private const string FlagName = "--kv-transfer-config";

    public static KvTransferConfig? Read(ProcessArguments arguments, ProcessEnvironment environment, List<SourceDefect> defects)
    {
        if (arguments.Flag(FlagName) is { Value: { } text } flag)
        {
            return ReadJson(flag, text, defects);
        }
        ArgumentFlag[] dotted = [.. arguments.Flags.Where(candidate => candidate.Key.StartsWith(FlagName + ".", StringComparison.Ordinal) && candidate.Value is not null)];
        if (dotted.Length > 0)
        {
            return new KvTransferConfig(dotted[0], FromDotted(dotted), null);
        }
        // vllm-gaudi reads this variable too.
        return environment.Find("VLLM_KV_TRANSFER_CONFIG") is { Value: { } value } setting
            ? ReadJson(new ArgumentFlag(setting.Name, value, setting.Span), value, defects)
            : null;
    }

    private static KvTransferConfig ReadJson(ArgumentFlag flag, SourcedText text, List<SourceDefect> defects)
    {
        if (text.HasUnknown && !text.Value.StartsWith('{')) { return new KvTransferConfig(flag, null, null); }
        if (ShellText.LiteralVariable(text) is { } literal) { defects.Add(new SourceDefect(VariableInSingleQuotes.Id, literal, $"{literal.Text} reaches vLLM as it stands.")); }
        var json = JsonReader.TryRead(text, out var error);
        if (json is null && text.Span.Text.StartsWith("\"{\"", StringComparison.Ordinal) && text.Span.Text.EndsWith("}\"", StringComparison.Ordinal))
        {
            defects.Add(new SourceDefect(JsonQuotesLost.Id, text.Span, "", new TextEdit(text.Span, $"'{text.Span.Text[1..^1]}'")));
            // What was meant, so that the rest is checked too.
            var meant = SourcedText.Of(text.File.Span(text.Span.Offset + 1, text.Span.Length - 2));
            return new KvTransferConfig(flag, JsonReader.TryRead(meant, out _), null);
        }
        if (json is { Kind: not DataKind.Object })
        {
            error = new JsonError("expected an object, '{…}'", text.Span);
            json = null;
        }
        return new KvTransferConfig(flag, json, error);
    }

    private static DataNode FromDotted(ArgumentFlag[] flags)
    {
        var root = new List<DataMember>();
        var extra = new List<DataMember>();
        foreach (var flag in flags)
        {
            var from = FlagName.Length + 1;
            var key = flag.Name.Part(from, flag.Name.Value.Length - from);
            var value = Scalar(flag.Value!);
            const string ExtraPrefix = "kv_connector_extra_config.";
            if (key.Value.StartsWith(ExtraPrefix, StringComparison.Ordinal))
            {
                var inner = key.Part(ExtraPrefix.Length, key.Value.Length - ExtraPrefix.Length);
                extra.Add(new DataMember(inner, value));
            }
            else
            {
                root.Add(new DataMember(key, value));
            }
        }
        var span = flags[0].Span.To(flags[^1].Span);
        if (extra.Count > 0)
        {
            var at = extra[0].Key.Span;
            root.Add(new DataMember(SourcedText.Implied("kv_connector_extra_config", at), new DataNode(DataKind.Object, new SourcedText("", at, [])) { Members = extra }));
        }
        return new DataNode(DataKind.Object, new SourcedText("", span, [])) { Members = root };
    }

    private static DataNode Scalar(SourcedText text) => JsonReader.TryRead(text, out _) ?? new DataNode(DataKind.String, text);
}
