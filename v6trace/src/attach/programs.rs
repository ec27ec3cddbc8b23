//! The programs of a candidate: loaded once, attached by trampoline or by
//! kprobes.

use std::collections::HashSet;

use aya::{
    Ebpf,
    maps::ProgramArray,
    programs::{Program, ProgramError, ProgramInfo},
};
use v6trace_common::{Candidate, Programs};

use super::{AttachError, Links, choose::Refusal, links::Link, one_line::in_one_line, trampolines};
use crate::coverage::Via;

/// Loads and attaches programs.
pub(super) struct Attacher<'e> {
    pub(super) ebpf: &'e mut Ebpf,
    /// Where trampolines find their functions; without, none are wanted or to be had.
    functions: Option<&'e aya::Btf>,
    loaded: HashSet<&'static str>,
    pub(super) links: Links,
    /// Why continuations were refused: what they would have read is missing
    /// from the records.
    pub(super) refused: Vec<String>,
}

impl<'e> Attacher<'e> {
    pub(super) fn new(ebpf: &'e mut Ebpf, functions: Option<&'e aya::Btf>) -> Self {
        Self {
            ebpf,
            functions,
            loaded: HashSet::new(),
            links: Links::default(),
            refused: Vec::new(),
        }
    }

    /// Attaches a candidate, all its programs or none.
    pub(super) fn attach(&mut self, candidate: &Candidate) -> Result<Via, Refusal> {
        if self.functions.is_some()
            && let Some(programs) = candidate.trampoline
        {
            match self.attach_programs(candidate.function, programs) {
                Ok(()) => return Ok(Via::Trampoline),
                Err(refusal) => log::debug!("no trampoline: {refusal:?}"),
            }
        }
        self.attach_programs(candidate.function, candidate.kprobes)?;
        Ok(Via::Kprobe)
    }

    fn attach_programs(&mut self, function: &str, programs: Programs) -> Result<(), Refusal> {
        if let Some((name, map)) = programs.continuation {
            self.link(function, name, map).map_err(Refusal::other)?;
        }
        for &opener in programs.openers {
            let link = self.attach_one(function, Some(opener))?;
            self.links.outer.extend(link);
        }
        // Loading takes long; nothing happens between one end and the other then.
        for name in programs.ends() {
            self.load(function, name).map_err(Refusal::other)?;
        }
        // The entry first, as a rule: then every return that fires had its entry seen.
        // Where the second is refused, the first goes with its link.
        let (outer, inner) = if programs.return_outlasts {
            (programs.ret, programs.entry)
        } else {
            (programs.entry, programs.ret)
        };
        let outer = self.attach_one(function, outer)?;
        let inner = self.attach_one(function, inner)?;
        self.links.outer.extend(outer);
        self.links.inner.extend(inner);
        Ok(())
    }

    /// Loads a continuation and puts it where its programs look for it.
    fn link(
        &mut self,
        function: &str,
        name: &'static str,
        map: &'static str,
    ) -> Result<(), AttachError> {
        if self.loaded.contains(name) {
            return Ok(());
        }
        if let Err(error) = self.load(function, name) {
            let reason = in_one_line(&error.to_string());
            self.refused.push(format!("{name}: {reason}"));
            return Ok(());
        }
        let descriptor = self.program(name)?.fd()?;
        let descriptor = descriptor.try_clone().map_err(ProgramError::from)?;
        // Borrowed, not taken: the programs loaded later refer to its descriptor.
        let table = self.ebpf.map_mut(map).ok_or(AttachError::Object(map))?;
        ProgramArray::try_from(table)?.set(0, &descriptor, 0)?;
        Ok(())
    }

    pub(super) fn load(&mut self, function: &str, name: &'static str) -> Result<(), AttachError> {
        if self.loaded.contains(name) {
            return Ok(());
        }
        let functions = self.functions;
        let program = self
            .ebpf
            .program_mut(name)
            .ok_or(AttachError::Object(name))?;
        let loaded = match (program, functions) {
            (Program::KProbe(program), _) => program.load(),
            (Program::RawTracePoint(program), _) => program.load(),
            (Program::FEntry(program), Some(btf)) => program.load(function, btf),
            (Program::FExit(program), Some(btf)) => program.load(function, btf),
            _ => return Err(AttachError::Object(name)),
        };
        loaded.map_err(|error| AttachError::program(&error))?;
        self.loaded.insert(name);
        // The larger part of starting up is what the verifier has to do.
        let info = self.program(name)?.info().ok();
        let verified = info.and_then(|info: ProgramInfo| info.verified_instruction_count());
        let verified = verified.unwrap_or_default();
        log::debug!("{name} loaded, {verified} instructions verified");
        Ok(())
    }

    pub(super) fn attach_one(
        &mut self,
        function: &str,
        name: Option<&'static str>,
    ) -> Result<Option<Link>, Refusal> {
        let Some(name) = name else {
            return Ok(None);
        };
        self.load(function, name).map_err(Refusal::other)?;
        let program = self.program(name).map_err(Refusal::other)?;
        let attached = Link::attach(program, function);
        if let Err(error) = &attached
            && !self.links.have_trampolines()
            && trampolines::none_can_be_had(error)
        {
            self.functions = None;
        }
        let link = attached.map_err(|error| Refusal::from_attach(&error))?;
        log::debug!("{name} attached to {function}");
        Ok(link)
    }

    fn program(&mut self, name: &'static str) -> Result<&mut Program, AttachError> {
        self.ebpf.program_mut(name).ok_or(AttachError::Object(name))
    }
}
