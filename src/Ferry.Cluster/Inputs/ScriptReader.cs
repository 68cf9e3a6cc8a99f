using Ferry.Cluster.Inputs.Containers;
using Ferry.Cluster.Inputs.Processes;
using Ferry.Cluster.Inputs.Shell;
using Ferry.Cluster.Lint.Rules.Shell;
using Ferry.Cluster.Lint.Ucx;
using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Inputs;

/// <summary>Reads the processes that a script starts, by docker or bare, here or over ssh, and the files that its heredocs write.</summary>
/// <param name="envFiles">For <c>--env-file</c> and <c>source</c>.</param>
/// <param name="takeFile">Takes a heredoc: the file it is written to (may be empty) and its lines.</param>
internal sealed class ScriptReader(EnvFiles envFiles, List<SourceDefect> defects, Action<string, SourcedText> takeFile)
{
    private const int MaxNesting = 4;

    /// <param name="scope">Variables from before; a page's blocks share one.</param>
    public IReadOnlyList<ProcessDraft> Read(SourcedText script, ShellScope scope)
    {
        var drafts = new List<ProcessDraft>();
        Read(script, scope, drafts, 0);
        return drafts;
    }

    private void Read(SourcedText script, ShellScope scope, List<ProcessDraft> drafts, int depth)
    {
        foreach (var command in new ShellInterpreter(scope, envFiles.Find).Run(ShellLexer.Read(script, defects)))
        {
            TakeHeredocs(command);
            if (command.Words.Count > 0) { TakeCommand(command, drafts, depth); }
        }
    }

    private void TakeCommand(ShellCommand command, List<ProcessDraft> drafts, int depth)
    {
        if (DockerRunReader.ArgumentsAt(command.Words) is var from && from > 0)
        {
            ReportUnset(command);
            drafts.Add(new DockerRunReader(envFiles).Read(command, from, defects));
            return;
        }
        if (Nested(command) is { } inner && depth < MaxNesting)
        {
            Read(inner, command.Scope, drafts, depth + 1);
            return;
        }
        if (ProcessRecognizer.IsKnown(command.Words))
        {
            ReportUnset(command);
            ReportUnexported(command);
            drafts.Add(Bare(command));
        }
    }

    private static ProcessDraft Bare(ShellCommand command)
    {
        var head = command.Words[0].Span.To(command.Words[Math.Min(1, command.Words.Count - 1)].Span);
        var name = string.Join(' ', command.Words.Take(2).Select(word => Path.GetFileName(word.Value)));
        return new ProcessDraft { Name = $"{name} (line {head.Line})", Span = command.Span, HeadSpan = head, Environment = command.Environment, Words = command.Words };
    }

    /// <summary>The script in <c>ssh host 'script'</c> and <c>bash -c 'script'</c>, or null.</summary>
    private static SourcedText? Nested(ShellCommand command)
    {
        var words = command.Words;
        var program = Path.GetFileName(words[0].Value);
        if (program is "bash" or "sh")
        {
            for (var i = 1; i + 1 < words.Count && words[i].Value.StartsWith('-'); i++)
            {
                if (words[i].Value.EndsWith('c')) { return words[i + 1]; }
            }
            return null;
        }
        if (program != "ssh") { return null; }
        var last = words[^1];
        return words.Count > 2 && last.Value.Contains(' ', StringComparison.Ordinal) ? last : null;
    }

    private void TakeHeredocs(ShellCommand command)
    {
        foreach (var redirect in command.Redirects)
        {
            if (redirect.Body is not { } body) { continue; }
            var file = command.Redirects.FirstOrDefault(other => other.Operator is ">" or ">>" or ">|")?.Target.Raw ??
                (command.Words.Count > 1 && command.Words[0].Value == "tee" ? command.Words[^1].Value : "");
            takeFile(file, body);
        }
    }

    private void ReportUnset(ShellCommand command)
    {
        foreach (var (name, span) in command.Unset)
        {
            defects.Add(new SourceDefect(UnsetVariable.Id, span, $"Nothing sets {name} above; at run time it is empty unless the caller exports it. " +
                $"Write `: \"${{{name}:?set it first}}\"` at the top of the script."));
        }
    }

    /// <summary>A process outside a container sees only what is exported.</summary>
    private void ReportUnexported(ShellCommand command)
    {
        if (command.Scope.IsOpen) { return; }   // a page's snippets are no script
        foreach (var variable in command.Scope.Variables.Values.OrderBy(variable => variable.Span.Offset))
        {
            var name = variable.Name.Value;
            if (variable.IsExported || variable.Value is null || command.Environment.Any(setting => setting.Name.Value == name) || !IsForEngine(name)) { continue; }
            defects.Add(new SourceDefect(NotExported.Id, variable.Span, $"{name} is assigned but not exported.", new TextEdit(variable.Span.File.Span(variable.Span.Offset, 0), "export ")));
        }
    }

    // A script's own UCX_INSTALL_DIR or VLLM_PREFIX is nobody's setting.
    private static bool IsForEngine(string name) => name is "PYTHONHASHSEED" or "HF_TOKEN" || UcxVariables.IsKnown(name) || VllmVariables.IsKnown(name) ||
        name.StartsWith("LMCACHE_", StringComparison.Ordinal) || name.StartsWith("NIXL_", StringComparison.Ordinal) ||
        name.StartsWith("HIP_VISIBLE", StringComparison.Ordinal) || name.StartsWith("HABANA_", StringComparison.Ordinal) || name.StartsWith("PT_HPU_", StringComparison.Ordinal);
}
